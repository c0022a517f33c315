//! Connections to the shared schema `platform`, of either plane's login.

use std::time::Duration;

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
    Timeouts,
};
use tokio_postgres::{Row, Statement};

use super::{
    Params,
    error::Error,
    login::Login,
    sql::Sql,
    statement::{self, Outcome},
};

/// Uses after which a connection is replaced: PostgreSQL keeps catalog entries of every schema that
/// was made, migrated or removed on it (31 MB after 1,700 sign-ups).
const MAX_USES: usize = 1_000;

/// A small pool for the shared schema; cheap to clone.
#[derive(Clone)]
pub struct RegistryPool(Pool);

impl RegistryPool {
    /// A pool of at most so many connections, which open when they are needed.
    ///
    /// # Errors
    /// When the pool cannot be built.
    pub fn new(login: &Login, connections: usize) -> Result<Self, deadpool::managed::BuildError> {
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(login.config.clone(), login.tls.clone(), recycling);
        let is_worn = Hook::sync_fn(|_, metrics| match metrics.recycle_count {
            ..MAX_USES => Ok(()),
            _ => Err(HookError::message("retired")),
        });
        let timeouts = Timeouts {
            wait: Some(Duration::from_secs(20)),
            create: Some(Duration::from_secs(5)),
            recycle: Some(Duration::from_secs(5)),
        };
        let pool = Pool::builder(manager)
            .max_size(connections)
            .timeouts(timeouts)
            .pre_recycle(is_worn)
            .runtime(Runtime::Tokio1)
            .build()?;
        Ok(Self(pool))
    }

    /// A connection. One that cannot be made is tried once more: the place that another connection
    /// had may be free by then.
    ///
    /// # Errors
    /// [`Error::Unreachable`].
    #[expect(
        clippy::disallowed_methods,
        reason = "the shared schema's pool, not a tenant's"
    )]
    pub async fn connection(&self) -> Result<Object, Error> {
        let connection = match self.0.get().await {
            Err(PoolError::Backend(_)) => self.0.get().await,
            outcome => outcome,
        };
        connection.map_err(Error::unreachable)
    }

    /// Runs one statement; all rows. A connection that breaks before the statement is sent is left
    /// for another.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn query(&self, sql: Sql, params: Params<'_>) -> Result<Vec<Row>, Error> {
        Ok(Box::pin(self.run(sql, params)).await?.rows)
    }

    /// The same for a statement that only changes rows; answers how many.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn execute(&self, sql: Sql, params: Params<'_>) -> Result<u64, Error> {
        Ok(Box::pin(self.run(sql, params)).await?.affected)
    }

    /// Whether the database answers.
    pub fn answers(&self) -> impl Future<Output = bool> + Send + use<> {
        let pool = self.clone();
        async move { pool.is_read_only().await.is_ok() }
    }

    /// Whether the database can be written to, as far as it says.
    pub fn accepts_writes(&self) -> impl Future<Output = bool> + Send + use<> {
        let pool = self.clone();
        async move { !matches!(pool.is_read_only().await, Ok(true)) }
    }

    async fn is_read_only(&self) -> Result<bool, Error> {
        let read_only = "SELECT current_setting('transaction_read_only')::bool";
        let client = self.connection().await?;
        let rows = client.query_typed(read_only, &[]).await?;
        Ok(rows.first().map_or(Ok(false), |row| row.try_get(0))?)
    }

    async fn run(&self, sql: Sql, params: Params<'_>) -> Result<Outcome, Error> {
        let (client, statement) = self.prepared(sql).await?;
        match statement::run(&client, &statement, params).await {
            // Nothing was done, and what is prepared now is up to date.
            Err(cause) if cause.is_outdated_statement() => {
                client.statement_cache.clear();
                let statement = client.prepare_cached(sql.text()).await?;
                statement::run(&client, &statement, params).await
            }
            outcome => outcome,
        }
    }

    async fn prepared(&self, sql: Sql) -> Result<(Object, Statement), Error> {
        let attempt = async || {
            let client = self.connection().await?;
            let statement = client.prepare_cached(sql.text()).await?;
            Ok((client, statement))
        };
        match attempt().await {
            Err(cause) if Error::deserves_another_try(&cause) => attempt().await,
            outcome => outcome,
        }
    }
}
