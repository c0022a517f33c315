//! The only door to a tenant's schema.
//!
//! [`TenantDb`] sends every statement inside a transaction that first sets the tenant's role and
//! `search_path`, all in one round trip: `BEGIN; SET LOCAL ROLE …; SET LOCAL search_path …`, the
//! statement, `COMMIT`. Should the first fail, PostgreSQL refuses the second. A connection comes
//! from the tenant's own lane ([`lanes`]) when it is the tenant's turn ([`admission`]), and is
//! closed unless its transaction is known to have ended ([`pooled`]), so that a request given up in
//! the middle leaves nothing behind.

mod admission;
mod conn;
mod error;
mod lane;
mod lanes;
mod login;
mod pooled;
mod registry_pool;
mod settings;
mod sql;
mod statement;
mod transaction;
mod waiting;
mod warming;

use std::sync::Arc;

use tokio_postgres::Row;

pub use error::{Class, Error, class_of, describe};
pub use lanes::{LANES, LaneNumber, Lanes, login_of_lane};
pub use login::{BadUrl, Driver, Login};
pub use registry_pool::RegistryPool;
pub use settings::Database;
use sql::Access;
pub use sql::Sql;
pub use transaction::{STATEMENTS, Transaction};

use crate::tenant::Tenant;

/// The parameters of a statement, in the order of its `$n`.
pub type Params<'a> = &'a [&'a (dyn tokio_postgres::types::ToSql + Sync)];

/// One tenant's schema; cheap to clone.
#[derive(Clone)]
pub struct TenantDb {
    lanes: Lanes,
    tenant: Arc<Tenant>,
}

impl TenantDb {
    pub(crate) fn new(lanes: Lanes, tenant: Arc<Tenant>) -> Self {
        Self { lanes, tenant }
    }

    /// The tenant whose schema it is.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Runs one statement in a transaction of its own: one round trip, all rows.
    ///
    /// # Errors
    /// [`Error`]; the transaction is rolled back.
    pub async fn query(&self, sql: Sql, params: Params<'_>) -> Result<Vec<Row>, Error> {
        Ok(Box::pin(self.in_own_transaction(sql, params)).await?.rows)
    }

    /// The same for a statement that yields at most one row.
    ///
    /// # Errors
    /// [`Error`]; the transaction is rolled back.
    pub async fn query_opt(&self, sql: Sql, params: Params<'_>) -> Result<Option<Row>, Error> {
        Ok(self.query(sql, params).await?.pop())
    }

    /// The same for a statement that yields exactly one row.
    ///
    /// # Errors
    /// [`Error`]; the transaction is rolled back.
    pub async fn query_one(&self, sql: Sql, params: Params<'_>) -> Result<Row, Error> {
        self.query_opt(sql, params).await?.ok_or_else(Error::no_row)
    }

    /// The same for a statement that only changes rows; answers how many.
    ///
    /// # Errors
    /// [`Error`]; the transaction is rolled back.
    pub async fn execute(&self, sql: Sql, params: Params<'_>) -> Result<u64, Error> {
        let running = Box::pin(self.in_own_transaction(sql, params));
        Ok(running.await?.affected)
    }

    /// Begins a transaction of several statements. Nothing is sent before the first of them.
    ///
    /// # Errors
    /// When no connection is to be had.
    pub async fn begin(&self) -> Result<Transaction, Error> {
        let pooled = self.lanes.connection(&self.tenant, Access::Write).await?;
        Ok(Transaction::new(
            self.lanes.clone(),
            pooled,
            Arc::clone(&self.tenant),
        ))
    }

    /// Tried once more when it is known that nothing was done and another connection may do it.
    ///
    /// Its future takes kilobytes. Callers box it, or every future in which one is nested would be as
    /// large, and be copied at each layer of a request that may not even get here.
    async fn in_own_transaction(
        &self,
        sql: Sql,
        params: Params<'_>,
    ) -> Result<statement::Outcome, Error> {
        let attempt = async || {
            let pooled = self.lanes.connection(&self.tenant, sql.access()).await;
            let pooled = pooled.map_err(statement::Failed::undone)?;
            statement::in_own_transaction(pooled, &self.tenant, sql, params).await
        };
        match attempt().await {
            Err(failed) if failed.undone && failed.cause.deserves_another_try() => {
                metrics::counter!("tenant_statements_repeated_total").increment(1);
                attempt().await
            }
            outcome => outcome,
        }
        .map_err(|failed| failed.cause)
    }
}
