//! What every handler shares, made once.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use axum::Router;
use service::{
    Clock, Entropy,
    health::Health,
    hosts::PlatformHosts,
    layers, openapi,
    password::Hasher,
    settings::{Addresses, Network},
};
use tenancy::{
    ChangeFeed, Registry,
    db::{Lanes, Login, RegistryPool},
    feed::NoNotifications,
};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    attempts::Attempts,
    caller::{Clients, PrincipalCache},
    cors::Origins,
    outer::Outer,
    rates::Rates,
    router,
    settings::Settings,
};

/// Connections to the shared schema: it is asked about a tenant once, then kept in memory.
const REGISTRY_CONNECTIONS: usize = 2;

/// Longer than a heartbeat may take to come back.
const NOTIFICATIONS_TIMEOUT: Duration = Duration::from_secs(8);

/// Shared by all handlers; cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) feed: ChangeFeed,
    pub(crate) registry: Registry,
    pub(crate) lanes: Lanes,
    pub(crate) hosts: PlatformHosts,
    pub(crate) rates: Rates,
    pub(crate) attempts: Attempts,
    pub(crate) principals: PrincipalCache,
    pub(crate) clients: Clients,
    pub(crate) origins: Origins,
    pub(crate) hasher: Hasher,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) addresses: Addresses,
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// The data plane, to be served behind [`DataPlane::layers`].
pub struct DataPlane {
    /// Every route, with its description.
    pub router: OpenApiRouter,
    /// Whether the registry can be asked.
    pub health: Health,
    app: App,
}

impl DataPlane {
    /// Makes the data plane on a database that has the global migrations. `data` logs in as
    /// `tenantry_data`. Connections open when they are needed.
    ///
    /// # Errors
    /// When a pool cannot be built.
    pub fn new(
        settings: &Settings,
        addresses: &Addresses,
        data: &Login,
        hasher: Hasher,
        clock: Clock,
        entropy: Entropy,
    ) -> anyhow::Result<Self> {
        let app = App::new(settings, addresses, data, hasher, clock, entropy)?;
        let [asked, written] = [(); 2].map(|()| app.registry.pool().clone());
        let health = Health::default()
            .needs("registry", move || asked.answers())
            .needs("registry-writes", move || written.accepts_writes());
        let mut router = router::routes().with_state(app.clone());
        openapi::complete(router.get_openapi_mut(), addresses, openapi::Kind::Tenant);
        Ok(Self {
            router,
            health,
            app,
        })
    }

    /// Whether PostgreSQL's notifications arrive here, without which what is cached would be out of
    /// date for up to a second at a time; a database that does not answer within seconds says nothing.
    ///
    /// # Errors
    /// [`NoNotifications`], as through a pooler in transaction mode.
    pub async fn check_notifications(&self) -> Result<(), NoNotifications> {
        self.app.feed.check(NOTIFICATIONS_TIMEOUT).await
    }

    /// Puts what every request passes around an API: this plane's routes and whatever else is served
    /// on its port. Under a path prefix that names a tenant there are this plane's alone.
    pub fn layers(&self, api: Router, network: &Network, entropy: &Entropy) -> Router {
        let around =
            |router: Router| layers::wrap_api(router, &self.app.addresses, network, entropy);
        Router::new().fallback_service(Outer {
            app: self.app.clone(),
            api: around(api),
            tenants: around(self.router.clone().into()),
        })
    }
}

impl App {
    pub(crate) fn new(
        settings: &Settings,
        addresses: &Addresses,
        data: &Login,
        hasher: Hasher,
        clock: Clock,
        entropy: Entropy,
    ) -> anyhow::Result<Self> {
        let feed = ChangeFeed::start(data);
        let pool = RegistryPool::new(data, REGISTRY_CONNECTIONS).context("the registry's pool")?;
        let registry = Registry::new(pool, &feed, settings.tenants_in_memory);
        Ok(Self(Arc::new(Parts {
            lanes: Lanes::new(data, &settings.database, &feed).context("the tenants' pools")?,
            hosts: PlatformHosts::new(addresses),
            rates: Rates::new(settings),
            attempts: Attempts::new(settings),
            principals: PrincipalCache::new(&feed, settings.tokens_in_memory),
            clients: Clients::new(&feed, settings.tokens_in_memory),
            origins: Origins::new(&feed, settings.tenants_in_memory),
            addresses: addresses.clone(),
            feed,
            registry,
            hasher,
            clock,
            entropy,
        })))
    }
}
