//! One lane: its connections, who may use them, and replacing one that has become too large.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use deadpool::{
    Runtime,
    managed::{BuildError, Object, Pool, Timeouts},
};
use deadpool_postgres::Manager;
use tokio::sync::Semaphore;

use super::{
    admission::{Admission, Busy},
    conn::{ConnManager, Limits, Pooled},
    error::Error,
    login::Login,
    pooled::PooledTransaction,
    settings::Database,
    sql::Access,
    waiting::Bounds,
    warming,
};
use crate::names::TenantId;

/// Between two attempts to make a connection while others of the lane are open: PostgreSQL, or a
/// proxy before it, may have no place for one more.
const PAUSE: Duration = Duration::from_millis(20);
/// How long PostgreSQL may take to say what memory a connection has.
const MEMORY_TIMEOUT: Duration = Duration::from_secs(2);

/// A lane; clones are one.
#[derive(Clone)]
pub(super) struct Lane(Arc<Inner>);

struct Inner {
    admission: Admission,
    /// A pool of one connection for each permit, so that a tenant meets the same connections again.
    pools: Box<[Pool<ConnManager>]>,
    limits: Limits,
    wait: Duration,
    /// One permit for all lanes of the process.
    replacing: Arc<Semaphore>,
}

impl Lane {
    pub(super) fn new(
        login: &Login,
        settings: &Database,
        replacing: &Arc<Semaphore>,
    ) -> Result<Self, BuildError> {
        let connections = settings.connections_per_lane.get();
        let wait = Duration::from_millis(settings.connection_wait_ms);
        let limits = Limits {
            memory: settings.connection_memory_mib.get() * 1024 * 1024,
            statements: settings.statements_per_connection,
            lifetime: Duration::from_secs(settings.connection_lifetime_seconds),
        };
        let Login { mut config, tls } = login.named("tenantry data");
        config.options(settings.session_options());
        let pools: Result<Vec<_>, _> = (0..connections)
            .map(|_| pool(Manager::new(config.clone(), tls.clone()), limits))
            .collect();
        Ok(Self(Arc::new(Inner {
            admission: Admission::new(Bounds::of(connections, settings.reads_per_lane.get()), wait),
            pools: pools?.into(),
            limits,
            wait,
            replacing: Arc::clone(replacing),
        })))
    }

    /// A connection for a tenant, as soon as it is its turn.
    pub(super) async fn connection(
        &self,
        tenant: TenantId,
        access: Access,
    ) -> Result<PooledTransaction, Error> {
        let permit = self.0.admission.acquire(tenant, access).await;
        let permit = permit.map_err(|Busy| Error::Busy)?;
        let conn = self.take(permit.slot()).await?;
        permit.start();
        Ok(PooledTransaction::new(conn, permit, self.clone()))
    }

    /// A permit's connection, which is made when there is none. While it is refused and others are
    /// open, one of them will do that is idle.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that takes a tenant's connection"
    )]
    async fn take(&self, slot: usize) -> Result<Pooled, Error> {
        let since = Instant::now();
        let mut tried_again = false;
        loop {
            let cause = match self.0.pools[slot].get().await {
                Ok(conn) => return Ok(conn),
                Err(cause) => cause,
            };
            let idle = self.0.pools.iter().find(|pool| pool.status().available > 0);
            if let Some(pool) = idle
                && let Ok(conn) = pool.get().await
            {
                return Ok(conn);
            }
            let others = self.0.pools.iter().any(|pool| pool.status().size > 0);
            if tried_again && (!others || since.elapsed() > self.0.wait) {
                return Err(Error::unreachable(cause));
            }
            if others {
                tokio::time::sleep(PAUSE).await;
            }
            tried_again = true;
        }
    }

    pub(super) fn limits(&self) -> Limits {
        self.0.limits
    }

    /// Looks how much memory a connection has taken in PostgreSQL, outside of every tenant's role,
    /// and has it replaced when that is too much, or when it is old. It is of no other use meanwhile.
    pub(super) async fn inspect(&self, conn: &mut Pooled) {
        let asked = tokio::time::timeout(MEMORY_TIMEOUT, conn.memory()).await;
        let bytes = asked.ok().flatten();
        if !conn.is_due(bytes, &self.limits()) {
            return;
        }
        let Ok(permit) = Arc::clone(&self.0.replacing).try_acquire_owned() else {
            return;
        };
        let Some(pool) = Object::pool(conn) else {
            return;
        };
        conn.replace();
        let recent = conn.recent();
        tokio::spawn(async move {
            let manager = pool.manager();
            match warming::connect(manager, &recent).await {
                Ok(successor) => manager.set_successor(successor),
                Err(cause) => tracing::debug!(%cause, "no successor for a connection"),
            }
            drop(permit);
        });
    }
}

/// The pool of one connection.
fn pool(manager: Manager, limits: Limits) -> Result<Pool<ConnManager>, BuildError> {
    let timeouts = Timeouts {
        // Whoever has a permit finds its connection, unless another had to take it.
        wait: Some(Duration::from_secs(1)),
        create: Some(Duration::from_secs(5)),
        recycle: Some(Duration::from_secs(1)),
    };
    Pool::builder(ConnManager::new(manager, limits))
        .max_size(1)
        .timeouts(timeouts)
        .runtime(Runtime::Tokio1)
        .build()
}
