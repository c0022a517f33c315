//! A pooled connection, and when another takes its place.

use std::{
    collections::HashSet,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use deadpool::managed::{Manager, Metrics, Object, RecycleError, RecycleResult};
use deadpool_postgres::ClientWrapper;
use lru::LruCache;
use tokio_postgres::{Client, SimpleQueryMessage, Statement};

use super::sql::Sql;
use crate::{names::TenantId, tenant::Tenant};

/// New schemas and statements after which PostgreSQL is asked again what memory it has taken.
const NEW_ENTRIES: usize = 256;
/// What a schema costs that a connection has touched, where PostgreSQL does not say: measured are 40
/// to 80 KiB with its statements.
const SCHEMA_BYTES: u64 = 64 * 1024;

/// Before a connection that is old, or was to be replaced, is inspected again.
const PAUSE: Duration = Duration::from_secs(2);

const MEMORY: &str = "SELECT sum(total_bytes) FROM pg_catalog.pg_backend_memory_contexts";

/// What bounds the memory that a connection costs, on both of its ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of its backend, which keeps catalog entries for every schema that it touched.
    pub(crate) memory: u64,
    /// Statements are prepared per tenant, so that their plans keep the tenant's path.
    pub(crate) statements: NonZeroUsize,
    /// After this a connection is replaced.
    pub(crate) lifetime: Duration,
}

/// A statement prepared under a tenant's path, as it can be prepared again on another connection.
#[derive(Clone)]
pub(super) struct Recent {
    pub(super) tenant: TenantId,
    pub(super) prelude: Arc<str>,
    pub(super) sql: Sql,
}

/// A connection and what it has seen.
pub(crate) struct Conn {
    wrapper: ClientWrapper,
    statements: LruCache<(TenantId, (usize, usize)), (Statement, Recent)>,
    schemas: HashSet<TenantId>,
    /// Since PostgreSQL was asked what memory it has taken.
    new_entries: usize,
    born: Instant,
    inspected: Instant,
    is_to_be_replaced: bool,
}

pub(crate) type Pooled = Object<ConnManager>;

impl Conn {
    pub(crate) fn client(&self) -> &Client {
        &self.wrapper
    }

    /// The statement as prepared under this tenant's path. Under another's it is never used, so
    /// PostgreSQL need not analyse it again.
    pub(crate) fn prepared(&mut self, tenant: TenantId, sql: Sql) -> Option<Statement> {
        let (statement, _) = self.statements.get(&(tenant, sql.key()))?;
        Some(statement.clone())
    }

    /// Keeps a statement for the tenant under whose path it was prepared.
    pub(crate) fn keep(&mut self, tenant: &Tenant, sql: Sql, statement: &Statement) {
        let recent = Recent {
            tenant: tenant.id,
            prelude: Arc::clone(&tenant.prelude),
            sql,
        };
        self.keep_recent(recent, statement.clone());
    }

    pub(super) fn keep_recent(&mut self, recent: Recent, statement: Statement) {
        self.new_entries += 1;
        self.schemas.insert(recent.tenant);
        let key = (recent.tenant, recent.sql.key());
        self.statements.put(key, (statement, recent));
    }

    /// Forgets a tenant's statements, so that each is prepared again when it is next needed.
    pub(crate) fn forget(&mut self, tenant: TenantId) {
        let keys = self.statements.iter().map(|(key, _)| *key);
        let of_tenant: Vec<_> = keys.filter(|(owner, _)| *owner == tenant).collect();
        for key in of_tenant {
            self.statements.pop(&key);
        }
    }

    /// Whether it is time to ask what memory it has taken, or it has to be replaced and was not.
    pub(super) fn is_to_be_inspected(&self, limits: &Limits) -> bool {
        self.new_entries >= NEW_ENTRIES
            || (self.is_to_be_replaced || self.born.elapsed() > limits.lifetime)
                && self.inspected.elapsed() > PAUSE
    }

    /// The bytes that its backend has taken, or `None` where it may not ask.
    pub(super) async fn memory(&mut self) -> Option<u64> {
        self.new_entries = 0;
        self.inspected = Instant::now();
        let answer = self.client().simple_query(MEMORY).await.ok()?;
        let bytes = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
            _ => None,
        })?;
        metrics::histogram!("tenant_connection_bytes").record(bytes as f64);
        Some(bytes)
    }

    /// Whether another connection has to take its place.
    pub(super) fn is_due(&self, bytes: Option<u64>, limits: &Limits) -> bool {
        let estimate = self.schemas.len() as u64 * SCHEMA_BYTES;
        bytes.unwrap_or(estimate) > limits.memory || self.born.elapsed() > limits.lifetime
    }

    /// Another connection takes its place as soon as there is one.
    pub(super) fn replace(&mut self) {
        self.is_to_be_replaced = true;
    }

    /// The statements used last: the half that is worth preparing again.
    pub(super) fn recent(&self) -> Vec<Recent> {
        let most = self.statements.len().div_ceil(2);
        let recent = self.statements.iter().take(most);
        recent.map(|(_, (_, recent))| recent.clone()).collect()
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        metrics::gauge!("tenant_connections").decrement(1.0);
    }
}

/// Makes connections as a lane's login.
pub(crate) struct ConnManager {
    inner: deadpool_postgres::Manager,
    pub(super) limits: Limits,
    /// What takes the place of the next connection that is to be replaced.
    successor: Mutex<Option<Conn>>,
}

impl ConnManager {
    pub(super) fn new(inner: deadpool_postgres::Manager, limits: Limits) -> Self {
        Self {
            inner,
            limits,
            successor: Mutex::new(None),
        }
    }

    /// A connection of the lane's, outside of its pool.
    pub(super) async fn connect(&self) -> Result<Conn, tokio_postgres::Error> {
        let wrapper = self.inner.create().await?;
        metrics::counter!("tenant_connections_opened_total").increment(1);
        metrics::gauge!("tenant_connections").increment(1.0);
        Ok(Conn {
            wrapper,
            statements: LruCache::new(self.limits.statements),
            schemas: HashSet::new(),
            new_entries: 0,
            born: Instant::now(),
            inspected: Instant::now(),
            is_to_be_replaced: false,
        })
    }

    pub(super) fn set_successor(&self, conn: Conn) {
        *self.successor() = Some(conn);
    }

    fn successor(&self) -> std::sync::MutexGuard<'_, Option<Conn>> {
        self.successor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Manager for ConnManager {
    type Type = Conn;
    type Error = tokio_postgres::Error;

    async fn create(&self) -> Result<Conn, tokio_postgres::Error> {
        let successor = self.successor().take();
        match successor.filter(|conn| !conn.client().is_closed()) {
            Some(conn) => Ok(conn),
            None => self.connect().await,
        }
    }

    async fn recycle(&self, conn: &mut Conn, _: &Metrics) -> RecycleResult<tokio_postgres::Error> {
        let is_replaced = conn.is_to_be_replaced && self.successor().is_some();
        if conn.client().is_closed() || is_replaced {
            return Err(RecycleError::message("retired"));
        }
        Ok(())
    }
}
