//! A pooled connection, and when it has served long enough.

use std::{
    collections::HashSet,
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use deadpool::managed::{Manager, Metrics, Object, RecycleError, RecycleResult};
use deadpool_postgres::ClientWrapper;
use lru::LruCache;
use tokio_postgres::{Client, Statement};

use super::sql::Sql;
use crate::names::TenantId;

/// What bounds the memory that a connection costs, on both of its ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// PostgreSQL keeps catalog caches for every schema that a connection touched.
    pub(crate) schemas: usize,
    /// Statements are prepared per tenant, so that their plans keep the tenant's path.
    pub(crate) statements: NonZeroUsize,
    /// After this a connection is replaced.
    pub(crate) lifetime: Duration,
}

/// A connection and what it has seen.
pub(crate) struct Conn {
    wrapper: ClientWrapper,
    statements: LruCache<(TenantId, (usize, usize)), Statement>,
    schemas: HashSet<TenantId>,
    born: Instant,
}

pub(crate) type Pooled = Object<ConnManager>;

impl Conn {
    pub(crate) fn client(&self) -> &Client {
        &self.wrapper
    }

    /// The statement as prepared under this tenant's path. Under another's it is never used, so
    /// PostgreSQL need not analyse it again.
    pub(crate) fn prepared(&mut self, tenant: TenantId, sql: Sql) -> Option<Statement> {
        self.statements.get(&(tenant, sql.key())).cloned()
    }

    pub(crate) fn keep(&mut self, tenant: TenantId, sql: Sql, statement: &Statement) {
        self.schemas.insert(tenant);
        self.statements.put((tenant, sql.key()), statement.clone());
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        metrics::gauge!("tenant_connections").decrement(1.0);
    }
}

/// Makes connections as the data plane's login.
pub(crate) struct ConnManager {
    pub(crate) inner: deadpool_postgres::Manager,
    pub(crate) limits: Limits,
}

impl Manager for ConnManager {
    type Type = Conn;
    type Error = tokio_postgres::Error;

    async fn create(&self) -> Result<Conn, tokio_postgres::Error> {
        let wrapper = self.inner.create().await?;
        metrics::counter!("tenant_connections_opened_total").increment(1);
        metrics::gauge!("tenant_connections").increment(1.0);
        Ok(Conn {
            wrapper,
            statements: LruCache::new(self.limits.statements),
            schemas: HashSet::new(),
            born: Instant::now(),
        })
    }

    async fn recycle(&self, conn: &mut Conn, _: &Metrics) -> RecycleResult<tokio_postgres::Error> {
        let served = conn.schemas.len() > self.limits.schemas;
        if conn.client().is_closed() || served || conn.born.elapsed() > self.limits.lifetime {
            return Err(RecycleError::message("retired"));
        }
        Ok(())
    }
}
