//! What every handler shares, made once.

use std::sync::Arc;

use anyhow::Context;
use axum::{Router, middleware::from_fn_with_state};
use service::{
    Clock, Entropy,
    answers::Answers,
    health::Health,
    hosts::PlatformHosts,
    layers, openapi,
    password::Hasher,
    settings::{Addresses, Network},
};
use tenancy::{
    ChangeFeed, Registry,
    db::{Lanes, Login, connect},
};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    answers,
    attempts::Attempts,
    caller::{Clients, PrincipalCache},
    cors::{self, Origins},
    path_prefix::with_path_prefix,
    rates::Rates,
    router,
    settings::Settings,
};

/// Connections to the shared schema: it is asked about a tenant once, then kept in memory.
const REGISTRY_CONNECTIONS: usize = 2;

/// Shared by all handlers; cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Parts>);

pub(crate) struct Parts {
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
        let registry = app.registry.clone();
        let health = Health::default().needs("registry", move || {
            let registry = registry.clone();
            async move { registry.answers().await }
        });
        let mut router = router::routes()
            .layer(from_fn_with_state(Answers::default(), answers::count))
            .with_state(app.clone());
        openapi::complete(router.get_openapi_mut(), addresses, openapi::Kind::Tenant);
        Ok(Self {
            router,
            health,
            app,
        })
    }

    /// Puts what every request passes around an API: this plane's routes and whatever else is served
    /// on its port. Under a path prefix that names a tenant there are this plane's alone.
    pub fn layers(&self, api: Router, network: &Network, entropy: &Entropy) -> Router {
        let around = |router: Router| {
            let router = layers::wrap_api(router, &self.app.addresses, network, entropy);
            cors::layer(router, &self.app)
        };
        let own = self.router.clone().into();
        with_path_prefix(around(api), around(own))
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
        let pool = connect(data, REGISTRY_CONNECTIONS).context("the registry's pool")?;
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
            registry,
            hasher,
            clock,
            entropy,
        })))
    }
}
