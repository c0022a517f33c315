//! The only door to a tenant's schema.
//!
//! [`TenantDb`] sends every statement inside a transaction that first sets the tenant's role and
//! `search_path`, all in one flight: `BEGIN; SET LOCAL ROLE …; SET LOCAL search_path …`, the
//! statement, `COMMIT`. Should the first fail, PostgreSQL refuses the second. A connection comes
//! from the tenant's own lane ([`lanes`]) and is thrown away unless its transaction is known to
//! have ended ([`held`]), so that a request given up in the middle leaves nothing behind.

mod conn;
mod error;
mod flight;
mod held;
mod lanes;
mod login;
mod settings;
mod sql;
mod transaction;

use std::sync::Arc;

use tokio_postgres::Row;

pub use error::{Class, Error, class_of};
pub use lanes::Lanes;
pub use login::{BadUrl, Driver, Login};
pub use settings::{Database, checkout, connect};
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
        Ok(self.alone(sql, params).await?.rows)
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
        Ok(self.alone(sql, params).await?.affected)
    }

    /// Begins a transaction of several statements. Nothing is sent before the first of them.
    ///
    /// # Errors
    /// When no connection is to be had.
    pub async fn begin(&self) -> Result<Transaction, Error> {
        let held = self.lanes.hold(self.tenant.id).await?;
        Ok(Transaction::new(
            self.lanes.clone(),
            held,
            Arc::clone(&self.tenant),
        ))
    }

    /// Tried once more when it is known that nothing was done and another connection may do it.
    async fn alone(&self, sql: Sql, params: Params<'_>) -> Result<flight::Outcome, Error> {
        let attempt = async || {
            let held = self.lanes.hold(self.tenant.id).await;
            let held = held.map_err(flight::Failed::undone)?;
            flight::alone(held, &self.tenant, sql, params).await
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
