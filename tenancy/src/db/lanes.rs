//! Lanes: several small pools, each tenant at home in one.
//!
//! A connection that stays with its tenants keeps their catalog entries and prepared plans warm;
//! that is worth a factor of two to three in PostgreSQL. A tenant whose lane is full takes the
//! emptiest other one rather than wait, so that no tenant can lock its neighbours out.

use std::{sync::Arc, time::Duration};

use deadpool::{
    Runtime,
    managed::{BuildError, Pool, PoolConfig, PoolError, QueueMode, TimeoutType, Timeouts},
};

use super::{
    TenantDb,
    conn::{ConnManager, Limits, Pooled},
    error::Error,
    held::Held,
    login::Login,
    settings::Database,
};
use crate::{feed::ChangeFeed, names::TenantId, tenant::Tenant};

const AT_ONCE: Duration = Duration::ZERO;

/// All connections to tenants' schemas; cheap to clone.
#[derive(Clone)]
pub struct Lanes {
    pools: Arc<[Pool<ConnManager>]>,
    feed: ChangeFeed,
}

impl Lanes {
    /// Lanes as the settings have them; what transactions publish goes to `feed` as well.
    /// Connections open when they are needed.
    ///
    /// # Errors
    /// When a pool cannot be built.
    pub fn new(login: &Login, settings: &Database, feed: &ChangeFeed) -> Result<Self, BuildError> {
        let most = settings.lanes.get() * settings.connections_per_lane.get();
        metrics::gauge!("tenant_connections_limit").set(most as f64);
        let pools: Result<Vec<_>, _> = (0..settings.lanes.get())
            .map(|_| lane(login, settings))
            .collect();
        Ok(Self {
            pools: pools?.into(),
            feed: feed.clone(),
        })
    }

    /// The door to a tenant's schema.
    #[must_use]
    pub fn open(&self, tenant: Arc<Tenant>) -> TenantDb {
        TenantDb::new(self.clone(), tenant)
    }

    /// Where transactions publish what they changed.
    pub(crate) fn feed(&self) -> &ChangeFeed {
        &self.feed
    }

    /// A connection for a tenant. Where no new one can be made, one that is open elsewhere does as
    /// well; without any, making one is tried once more.
    pub(crate) async fn hold(&self, tenant: TenantId) -> Result<Held, Error> {
        let home = &self.pools[self.home(tenant)];
        let at_home = at_once(home).await;
        if let Ok(Some(conn)) = at_home {
            return Ok(Held::new(conn));
        }
        metrics::counter!("tenant_lane_overflows_total").increment(1);
        let may_be_made = at_home.is_ok();
        let free = |lane: &&Pool<ConnManager>| {
            let status = lane.status();
            let room = status.max_size.saturating_sub(status.size);
            status.available + if may_be_made { room } else { 0 }
        };
        if let Some(other) = self
            .pools
            .iter()
            .filter(|lane| free(lane) > 0)
            .max_by_key(free)
            && let Ok(Some(conn)) = at_once(other).await
        {
            return Ok(Held::new(conn));
        }
        take(home, home.timeouts())
            .await?
            .map(Held::new)
            .ok_or(Error::Busy)
    }

    fn home(&self, tenant: TenantId) -> usize {
        // The tail of a version 7 id is random.
        let tail = tenant.as_uuid().as_u128() as u64;
        usize::try_from(tail % self.pools.len() as u64).unwrap_or(0)
    }
}

async fn at_once(lane: &Pool<ConnManager>) -> Result<Option<Pooled>, Error> {
    take(
        lane,
        Timeouts {
            wait: Some(AT_ONCE),
            ..lane.timeouts()
        },
    )
    .await
}

/// A connection, or none when the time to wait for one is over.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that takes a tenant's connection"
)]
async fn take(lane: &Pool<ConnManager>, timeouts: Timeouts) -> Result<Option<Pooled>, Error> {
    match lane.timeout_get(&timeouts).await {
        Ok(conn) => Ok(Some(conn)),
        Err(PoolError::Timeout(TimeoutType::Wait)) => Ok(None),
        Err(cause) => Err(Error::unreachable(cause)),
    }
}

fn lane(login: &Login, settings: &Database) -> Result<Pool<ConnManager>, BuildError> {
    let Login { mut config, tls } = login.named("tenantry data");
    config.options(settings.session_options());
    let manager = ConnManager {
        inner: deadpool_postgres::Manager::new(config, tls),
        limits: Limits {
            schemas: settings.schemas_per_connection.get(),
            statements: settings.statements_per_connection,
            lifetime: Duration::from_secs(settings.connection_lifetime_seconds),
        },
    };
    let pool = PoolConfig {
        max_size: settings.connections_per_lane.get(),
        timeouts: Timeouts {
            wait: Some(Duration::from_millis(settings.connection_wait_ms)),
            create: Some(Duration::from_secs(5)),
            recycle: Some(Duration::from_secs(1)),
        },
        queue_mode: QueueMode::Lifo,
    };
    Pool::builder(manager)
        .config(pool)
        .runtime(Runtime::Tokio1)
        .build()
}
