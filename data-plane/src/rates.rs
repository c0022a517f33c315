//! How fast a tenant, and how fast a guesser, may go.

use std::{num::NonZeroU32, time::Duration};

use moka::sync::Cache;
use service::{Problem, password::Share, rate::RateLimit, request::ClientNetwork};
use tenancy::{Tenant, TenantId};

use crate::settings::Settings;

/// The share that a client of a tenant has of password hashing.
pub(crate) fn share(tenant: &Tenant, from: ClientNetwork) -> Share {
    Share::tenant(tenant.id.as_uuid().as_u128(), from)
}

/// All limits of the data plane.
pub(crate) struct Rates {
    /// One limit per rate that some plan has.
    plans: Cache<NonZeroU32, RateLimit<TenantId>>,
    logins: RateLimit<(TenantId, String, ClientNetwork)>,
    registrations: RateLimit<(TenantId, ClientNetwork)>,
}

impl Rates {
    pub(crate) fn new(settings: &Settings) -> Self {
        let minute = Duration::from_secs(60);
        Self {
            plans: Cache::new(100),
            logins: RateLimit::new("sign-in", settings.logins_per_minute, minute),
            registrations: RateLimit::new("register", settings.registrations_per_minute, minute),
        }
    }

    /// Counts a request of a tenant against its plan.
    pub(crate) fn request(&self, tenant: &Tenant) -> Result<(), Problem> {
        let rate = tenant
            .plan
            .requests_per_second
            .and_then(|rate| u32::try_from(rate).ok());
        let Some(rate) = rate.and_then(NonZeroU32::new) else {
            return Ok(());
        };
        let new = || RateLimit::new("requests", rate, Duration::from_secs(1));
        self.plans.get_with(rate, new).check(&tenant.id)
    }

    /// Counts an attempt to sign in, before the password is looked at.
    pub(crate) fn login(
        &self,
        tenant: TenantId,
        name: &str,
        from: ClientNetwork,
    ) -> Result<(), Problem> {
        let name = name.chars().take(254).collect::<String>().to_lowercase();
        self.logins.check(&(tenant, name, from))
    }

    /// Counts a registration.
    pub(crate) fn registration(
        &self,
        tenant: TenantId,
        from: ClientNetwork,
    ) -> Result<(), Problem> {
        self.registrations.check(&(tenant, from))
    }
}
