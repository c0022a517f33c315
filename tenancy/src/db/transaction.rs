//! Several statements that happen together or not at all.

use std::sync::Arc;

use tokio_postgres::Row;

use super::{Params, error::Error, flight, held::Held, lanes::Lanes, sql::Sql};
use crate::{
    notice::{ChangeNotice, Revocation},
    tenant::Tenant,
};

const PUBLISH: Sql = Sql::from_literal("SELECT platform.publish_revocation($1)");

/// The statements of transactions themselves, by name: for the test that prepares every one.
pub const STATEMENTS: &[(&str, Sql)] = &[("PUBLISH", PUBLISH)];

/// A transaction in a tenant's schema. End it with [`end`](Self::end); dropped before, it is
/// rolled back by closing its connection.
pub struct Transaction {
    lanes: Lanes,
    held: Held,
    tenant: Arc<Tenant>,
    published: Vec<Revocation>,
    begun: bool,
}

impl Transaction {
    pub(crate) fn new(lanes: Lanes, held: Held, tenant: Arc<Tenant>) -> Self {
        Self {
            lanes,
            held,
            tenant,
            published: Vec::new(),
            begun: false,
        }
    }

    /// Runs a statement; all of its rows.
    ///
    /// # Errors
    /// [`Error`], after which only [`end`](Self::end) makes sense.
    pub async fn query(&mut self, sql: Sql, params: Params<'_>) -> Result<Vec<Row>, Error> {
        Ok(self.run(sql, params).await?.rows)
    }

    /// The same for a statement that yields at most one row.
    ///
    /// # Errors
    /// [`Error`], after which only [`end`](Self::end) makes sense.
    pub async fn query_opt(&mut self, sql: Sql, params: Params<'_>) -> Result<Option<Row>, Error> {
        Ok(self.query(sql, params).await?.pop())
    }

    /// The same for a statement that yields exactly one row.
    ///
    /// # Errors
    /// [`Error`], after which only [`end`](Self::end) makes sense.
    pub async fn query_one(&mut self, sql: Sql, params: Params<'_>) -> Result<Row, Error> {
        self.query_opt(sql, params).await?.ok_or_else(Error::no_row)
    }

    /// The same for a statement that only changes rows; answers how many.
    ///
    /// # Errors
    /// [`Error`], after which only [`end`](Self::end) makes sense.
    pub async fn execute(&mut self, sql: Sql, params: Params<'_>) -> Result<u64, Error> {
        Ok(self.run(sql, params).await?.affected)
    }

    /// Publishes a revocation with the commit. Other processes get it from PostgreSQL; the caches
    /// of this one have dropped it when [`end`](Self::end) returns.
    ///
    /// # Errors
    /// [`Error`], after which only [`end`](Self::end) makes sense.
    pub async fn publish(&mut self, revocation: Revocation) -> Result<(), Error> {
        self.query(PUBLISH, &[&revocation.to_string()]).await?;
        self.published.push(revocation);
        Ok(())
    }

    /// Commits when the work succeeded and rolls back when it failed; passes its outcome on.
    ///
    /// # Errors
    /// The work's own, or that of the commit.
    pub async fn end<T, E: From<Error>>(mut self, outcome: Result<T, E>) -> Result<T, E> {
        if self.begun && self.held.has_connection() {
            let word = if outcome.is_ok() {
                "COMMIT"
            } else {
                "ROLLBACK"
            };
            let ended = self.held.launch().client().batch_execute(word).await;
            // Also when the answer was lost, since the commit may have been made.
            for revocation in self.published {
                self.lanes
                    .feed()
                    .publish(&ChangeNotice::Revoked(self.tenant.id, revocation));
            }
            let ended = self.held.settle(ended);
            // What failed first says more than a rollback that fails for it.
            return outcome.and_then(|value| Ok(ended.map(|()| value)?));
        }
        outcome
    }

    /// The first statement is tried once more on another connection: nothing was done before it,
    /// and nothing is committed yet.
    async fn run(&mut self, sql: Sql, params: Params<'_>) -> Result<flight::Outcome, Error> {
        if self.begun {
            return flight::within(&mut self.held, &self.tenant, "", sql, params).await;
        }
        self.begun = true;
        match self.first(sql, params).await {
            Err(cause) if cause.deserves_another_try() => {
                // Not held while waiting for the other one.
                self.held.discard();
                self.held = self.lanes.hold(self.tenant.id).await?;
                self.first(sql, params).await
            }
            outcome => outcome,
        }
    }

    async fn first(&mut self, sql: Sql, params: Params<'_>) -> Result<flight::Outcome, Error> {
        self.held.begin();
        let prelude = self.tenant.prelude.as_str();
        flight::within(&mut self.held, &self.tenant, prelude, sql, params).await
    }
}
