//! The control plane, made once and shared by the API, the reaper and the command line.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use service::{
    Clock, Entropy, health::Health, hosts::PlatformHosts, openapi, password::Hasher,
    rate::RateLimit, request::ClientNetwork, settings::Addresses,
};
use tenancy::db::Login;
use time::OffsetDateTime;
use utoipa_axum::router::OpenApiRouter;

use crate::{router, settings::Settings, store::Store};

/// Seconds that a statement waits for a lock, before it is given up and tried again later: whoever
/// holds one must not hold up all that operators and sign-ups want.
const LOCK_SECONDS: u16 = 10;

/// Where PostgreSQL listens unless something else is said.
const POSTGRES_PORT: u16 = 5432;

/// Which tenants there are, and what is done to them; cheap to clone.
#[derive(Clone)]
pub struct ControlPlane(Arc<Parts>);

pub(crate) struct Parts {
    store: Store,
    hasher: Hasher,
    clock: Clock,
    entropy: Entropy,
    addresses: Addresses,
    hosts: PlatformHosts,
    settings: Settings,
    sign_ups: RateLimit<ClientNetwork>,
    place: Place,
}

/// Where people reach the database.
pub(crate) struct Place {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: String,
}

impl Place {
    fn of(settings: &Settings, control: &Login) -> Self {
        let (host, port) = match &settings.inspect_address {
            Some(address) => {
                let host = address.host().trim_matches(['[', ']']);
                (host.to_owned(), address.port_u16().unwrap_or(POSTGRES_PORT))
            }
            None => control.address(),
        };
        let database = control.database().unwrap_or_default().to_owned();
        Self {
            host,
            port,
            database,
        }
    }
}

impl ControlPlane {
    /// Makes the control plane on a database that was [`bootstrap`](crate::bootstrap())ped.
    /// `control` logs in as `tenantry_control`. Connections open when they are needed.
    ///
    /// # Errors
    /// When the pool cannot be built.
    pub fn new(
        settings: &Settings,
        addresses: &Addresses,
        control: &Login,
        hasher: Hasher,
        clock: Clock,
        entropy: Entropy,
    ) -> anyhow::Result<Self> {
        let place = Place::of(settings, control);
        let control = control.named("tenantry control").patient_for(LOCK_SECONDS);
        let pool = tenancy::db::RegistryPool::new(&control, settings.control_connections.get())
            .context("the registry's pool")?;
        let minute = Duration::from_secs(60);
        Ok(Self(Arc::new(Parts {
            store: Store::new(pool),
            hasher,
            clock,
            entropy,
            addresses: addresses.clone(),
            hosts: PlatformHosts::new(addresses),
            settings: settings.clone(),
            sign_ups: RateLimit::new("sign-up", settings.signup_rate_per_minute, minute),
            place,
        })))
    }

    /// Every route, with its description.
    pub fn router(&self) -> OpenApiRouter {
        let mut router = router::routes().with_state(self.clone());
        let addresses = &self.0.addresses;
        openapi::complete(router.get_openapi_mut(), addresses, openapi::Kind::Platform);
        router
    }

    /// Whether the registry can be asked.
    #[must_use]
    pub fn health(&self) -> Health {
        let [asked, written] = [(); 2].map(|()| self.0.store.pool().clone());
        Health::default()
            .needs("control-database", move || asked.answers())
            .needs("control-database-writes", move || written.accepts_writes())
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn hasher(&self) -> &Hasher {
        &self.0.hasher
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.0.clock.now()
    }

    pub(crate) fn entropy(&self) -> &Entropy {
        &self.0.entropy
    }

    pub(crate) fn addresses(&self) -> &Addresses {
        &self.0.addresses
    }

    pub(crate) fn hosts(&self) -> &PlatformHosts {
        &self.0.hosts
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn place(&self) -> &Place {
        &self.0.place
    }

    pub(crate) fn sign_ups(&self) -> &RateLimit<ClientNetwork> {
        &self.0.sign_ups
    }
}
