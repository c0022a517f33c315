//! How the data plane uses its connections.

use std::num::NonZeroUsize;

use clap::Args;
use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, Timeouts,
};
use std::time::Duration;

use super::{error::Error, login::Login};

/// The connections to tenants' schemas. Together these bound what they cost in memory: at the
/// most `LANES` × `CONNECTIONS_PER_LANE` connections, each about 10 MiB in PostgreSQL and
/// 0.25 MiB more for every schema it has touched.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Tenant connections")]
pub struct Database {
    /// Pools between which tenants are divided
    #[arg(long, env, default_value = "4")]
    pub lanes: NonZeroUsize,
    /// Connections of one pool; all pools together want about four for each core of PostgreSQL's
    #[arg(long, env, default_value = "2")]
    pub connections_per_lane: NonZeroUsize,
    /// Schemas after which a connection is replaced
    #[arg(long, env, default_value = "200")]
    pub schemas_per_connection: NonZeroUsize,
    /// Prepared statements that a connection keeps
    #[arg(long, env, default_value = "400")]
    pub statements_per_connection: NonZeroUsize,
    /// Seconds after which a connection is replaced
    #[arg(long, env, default_value_t = 3600)]
    pub connection_lifetime_seconds: u64,
    /// Milliseconds that a request waits for a connection before it is told to come back
    #[arg(long, env, default_value_t = 5000)]
    pub connection_wait_ms: u64,
    /// Milliseconds that one statement may take
    #[arg(long, env, default_value_t = 10_000)]
    pub statement_timeout_ms: u64,
}

impl Database {
    pub(crate) fn session_options(&self) -> String {
        let limit = self.statement_timeout_ms;
        // Left to itself, PostgreSQL would plan a statement with optional conditions anew each
        // time. Ours are written so that one plan serves.
        format!(
            "-c statement_timeout={limit} -c idle_in_transaction_session_timeout={limit} \
             -c search_path=pg_catalog -c plan_cache_mode=force_generic_plan"
        )
    }
}

/// A small pool for the shared schema, of either plane's login.
///
/// # Errors
/// When the pool cannot be built.
pub fn connect(login: &Login, connections: usize) -> Result<Pool, deadpool::managed::BuildError> {
    let recycling = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    Pool::builder(Manager::from_config(
        login.config.clone(),
        login.tls.clone(),
        recycling,
    ))
    .max_size(connections)
    .timeouts(Timeouts {
        wait: Some(Duration::from_secs(20)),
        create: Some(Duration::from_secs(5)),
        recycle: Some(Duration::from_secs(5)),
    })
    .runtime(Runtime::Tokio1)
    .build()
}

/// A connection to the shared schema. One that cannot be made is tried once more: the place that
/// another connection had may be free by then.
///
/// # Errors
/// [`Error::Unreachable`].
#[expect(
    clippy::disallowed_methods,
    reason = "the shared schema's pool, not a tenant's"
)]
pub async fn checkout(pool: &Pool) -> Result<Object, Error> {
    let connection = match pool.get().await {
        Err(PoolError::Backend(_)) => pool.get().await,
        outcome => outcome,
    };
    connection.map_err(Error::unreachable)
}
