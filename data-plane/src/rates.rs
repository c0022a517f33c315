//! How fast a tenant, its strangers, and a guesser may go.

use std::{num::NonZeroU32, time::Duration};

use moka::sync::Cache;
use service::{Problem, password::Share, rate::RateLimit, request::ClientNetwork};
use tenancy::{Tenant, TenantId};

use crate::settings::Settings;

/// Strangers have this part of a plan's rate at a tenant, beside it.
const STRANGERS_PART: u32 = 2;
/// One network's strangers, and its look-ups of credentials, have this part of it.
const NETWORK_PART: u32 = 4;

/// The share that a client of a tenant has of password hashing.
pub(crate) fn share(tenant: &Tenant, from: ClientNetwork) -> Share {
    Share::tenant(tenant.id.as_uuid().as_u128(), from)
}

/// All limits of the data plane.
pub(crate) struct Rates {
    /// Those of each rate that some plan has.
    plans: Cache<NonZeroU32, PlanRates>,
    logins: RateLimit<(TenantId, String, ClientNetwork)>,
    registrations: RateLimit<(TenantId, ClientNetwork)>,
}

/// What a plan's rate comes to.
#[derive(Clone)]
struct PlanRates {
    /// Callers with a valid token, session or client's secret.
    known: RateLimit<TenantId>,
    strangers: RateLimit<TenantId>,
    stranger: RateLimit<(TenantId, ClientNetwork)>,
    look_ups: RateLimit<(TenantId, ClientNetwork)>,
}

impl PlanRates {
    fn new(rate: NonZeroU32) -> Self {
        let part = |part: u32| NonZeroU32::new(rate.get() / part).unwrap_or(NonZeroU32::MIN);
        let second = Duration::from_secs(1);
        Self {
            known: RateLimit::new("requests", rate, second),
            strangers: RateLimit::new("anonymous-requests", part(STRANGERS_PART), second),
            stranger: RateLimit::new("anonymous-address", part(NETWORK_PART), second),
            look_ups: RateLimit::new("look-ups", part(NETWORK_PART), second),
        }
    }
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

    /// Counts a request of a known caller against the tenant's plan.
    pub(crate) fn known(&self, tenant: &Tenant) -> Result<(), Problem> {
        self.of(tenant)
            .map_or(Ok(()), |rates| rates.known.check(&tenant.id))
    }

    /// Counts a request of somebody unknown. Their network's limit comes first, so that one network
    /// does not spend what all strangers of the tenant have.
    pub(crate) fn stranger(&self, tenant: &Tenant, from: ClientNetwork) -> Result<(), Problem> {
        let Some(rates) = self.of(tenant) else {
            return Ok(());
        };
        rates.stranger.check(&(tenant.id, from))?;
        rates.strangers.check(&tenant.id)
    }

    /// Counts a look-up in the database of who somebody is: an invented credential costs one.
    pub(crate) fn look_up(&self, tenant: &Tenant, from: ClientNetwork) -> Result<(), Problem> {
        self.of(tenant)
            .map_or(Ok(()), |rates| rates.look_ups.check(&(tenant.id, from)))
    }

    fn of(&self, tenant: &Tenant) -> Option<PlanRates> {
        let rate = u32::try_from(tenant.plan.requests_per_second?).ok()?;
        let rate = NonZeroU32::new(rate)?;
        Some(self.plans.get_with(rate, || PlanRates::new(rate)))
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
