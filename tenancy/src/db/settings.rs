//! How the data plane uses its connections.

use std::num::{NonZeroU64, NonZeroUsize};

use clap::Args;

/// The connections to tenants' schemas. Together these bound what they cost in memory: at most
/// [`LANES`](super::LANES) × `CONNECTIONS_PER_LANE` connections of `CONNECTION_MEMORY_MIB` each.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Tenant connections")]
pub struct Database {
    /// Connections of each of the four lanes between which tenants are divided; one tenant has all
    /// but one of its lane's
    #[arg(long, env, default_value = "8")]
    pub connections_per_lane: NonZeroUsize,
    /// Of these, for reads at once: as many as keep a quarter of PostgreSQL's processors busy, and more
    /// where it is far away
    #[arg(long, env, default_value = "2")]
    pub reads_per_lane: NonZeroUsize,
    /// MiB of PostgreSQL's memory after which a connection is replaced
    #[arg(long, env, default_value = "128")]
    pub connection_memory_mib: NonZeroU64,
    /// Prepared statements that a connection keeps
    #[arg(long, env, default_value = "2000")]
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
    /// Milliseconds that one statement may wait for a lock
    #[arg(long, env, default_value_t = 2_000)]
    pub lock_timeout_ms: u64,
}

impl Database {
    pub(crate) fn session_options(&self) -> String {
        let (limit, lock) = (self.statement_timeout_ms, self.lock_timeout_ms);
        // Left to itself, PostgreSQL would plan a statement with optional conditions anew each
        // time. Ours are written so that one plan serves.
        format!(
            "-c statement_timeout={limit} -c lock_timeout={lock} \
             -c idle_in_transaction_session_timeout={limit} -c search_path=pg_catalog -c plan_cache_mode=force_generic_plan"
        )
    }
}
