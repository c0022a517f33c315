//! Both planes behind one port, the pages on another, and what runs beside them.

use anyhow::Context;
use axum::Router;
use control_plane::{ControlPlane, Logins, reaper};
use data_plane::DataPlane;
use frontend::Pages;
use service::{
    Clock, Entropy, health::Health, openapi, password::Hasher, serve, telemetry::Metrics,
};
use tenancy::db::Login;
use tokio_util::sync::CancellationToken;

use super::{Options, ports::Ports};

/// All that is served.
pub(super) struct Planes {
    control: ControlPlane,
    api: Router,
    health: Health,
    pages: Pages,
}

impl Planes {
    /// Makes the planes on a database that is ready for them.
    pub(super) async fn new(
        options: &Options,
        ports: &Ports,
        admin: &Login,
        logins: &Logins,
        hasher: Hasher,
        clock: Clock,
        entropy: &Entropy,
    ) -> anyhow::Result<Self> {
        let (addresses, network) = (&options.addresses, &options.network);
        let control = ControlPlane::new(
            &options.control,
            addresses,
            &logins.control(admin),
            hasher.clone(),
            clock.clone(),
            entropy.clone(),
        )?;
        let data = DataPlane::new(
            &options.data,
            addresses,
            &logins.data(admin),
            hasher,
            clock,
            entropy.clone(),
        )?;
        data.check_notifications().await.context("DATABASE_URL")?;
        let health = data.health.clone().and(&control.health());
        let routes = data
            .router
            .clone()
            .merge(control.router())
            .merge(health.routes());
        let (router, description) = routes.split_for_parts();
        let router = router.merge(openapi::routes(&description)?);
        let planes = frontend::Settings::behind(ports.loopback(options)?);
        Ok(Self {
            control,
            api: data.layers(router, network, entropy),
            health,
            pages: frontend::app(&planes, addresses, network, entropy)?,
        })
    }

    /// Does what is due before anybody asks: the first sign-ups find roles made for them.
    pub(super) async fn make_ready(&self) {
        reaper::look(&self.control).await;
    }

    /// What says that everything is well; shared by all ports.
    pub(super) fn health(&self) -> Health {
        self.health.clone()
    }

    /// Serves until told to stop, then drains: the pages first, which ask the API, then the API. What
    /// is going on can be asked to the end.
    pub(super) async fn serve(
        self,
        ports: Ports,
        options: &Options,
        metrics: Metrics,
        stop: CancellationToken,
    ) {
        let network = &options.network;
        let (after_pages, over) = (CancellationToken::new(), CancellationToken::new());
        let drain_pages = async {
            stop.cancelled().await;
            self.pages.health.drain();
        };
        let (tls, router) = (ports.tls.clone(), self.pages.router);
        let pages = async {
            serve::run(ports.pages, tls, router, network, stop.clone()).await;
            after_pages.cancel();
        };
        let inner = async {
            if let Some(inner) = ports.inner {
                let stop = after_pages.clone();
                serve::run(inner, None, self.api.clone(), network, stop).await;
            }
        };
        let (tls, router) = (ports.tls.clone(), self.api.clone());
        let api = async {
            let public = serve::run(ports.api, tls, router, network, after_pages.clone());
            tokio::join!(inner, public);
            over.cancel();
        };
        tokio::join!(
            pages,
            api,
            serve::follow(ports.tls, stop.clone()),
            serve::run_admin(ports.admin, &self.health, metrics, network, over.clone()),
            reaper::run(self.control.clone(), stop.clone()),
            migrate(&self.control, stop.clone()),
            drain_pages,
        );
    }
}

/// Brings tenants of an earlier version of the product up to this one, while they are served.
async fn migrate(control: &ControlPlane, stop: CancellationToken) {
    tokio::select! {
        outcome = control.migrate_fleet() => match outcome {
            Ok(done) if done.failed > 0 => {
                tracing::error!(failed = done.failed, "tenants are behind: tenantry migrate run");
            }
            Ok(_) => (),
            Err(cause) => tracing::error!(%cause, "tenants could not be migrated"),
        },
        () = stop.cancelled() => (),
    }
}
