//! Several statements that happen together or not at all.

use std::sync::Arc;

use tokio_postgres::Row;

use super::{
    Params,
    error::Error,
    lanes::Lanes,
    pooled::PooledTransaction,
    sql::{Access, Sql},
    statement,
};
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
    pooled: PooledTransaction,
    tenant: Arc<Tenant>,
    published: Vec<Revocation>,
    begun: bool,
}

impl Transaction {
    pub(crate) fn new(lanes: Lanes, pooled: PooledTransaction, tenant: Arc<Tenant>) -> Self {
        Self {
            lanes,
            pooled,
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
        Ok(Box::pin(self.run(sql, params)).await?.rows)
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
        Ok(Box::pin(self.run(sql, params)).await?.affected)
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
        if self.begun && self.pooled.has_connection() {
            let word = if outcome.is_ok() {
                "COMMIT"
            } else {
                "ROLLBACK"
            };
            let ended = self.pooled.send_commit().client().batch_execute(word).await;
            // Also when the answer was lost, since the commit may have been made.
            for revocation in self.published {
                self.lanes
                    .feed()
                    .publish(&ChangeNotice::Revoked(self.tenant.id, revocation));
            }
            let ended = self.pooled.finish(ended);
            // What failed first says more than a rollback that fails for it.
            return outcome.and_then(|value| Ok(ended.map(|()| value)?));
        }
        outcome
    }

    /// The first statement is tried once more: nothing was done before it, and nothing is committed
    /// yet. On the same connection when it was outdated there, or else on another.
    async fn run(&mut self, sql: Sql, params: Params<'_>) -> Result<statement::Outcome, Error> {
        if self.begun {
            let conn = self.pooled.conn();
            return statement::within(conn, &self.tenant, "", sql, params).await;
        }
        self.begun = true;
        match self.first(sql, params).await {
            Err(cause) if cause.is_outdated_statement() => {
                self.pooled
                    .conn()
                    .client()
                    .batch_execute("ROLLBACK")
                    .await?;
                self.first(sql, params).await
            }
            Err(cause) if cause.deserves_another_try() => {
                // Not held while waiting for the other one.
                self.pooled.discard();
                self.pooled = self.lanes.connection(&self.tenant, Access::Write).await?;
                self.first(sql, params).await
            }
            outcome => outcome,
        }
    }

    async fn first(&mut self, sql: Sql, params: Params<'_>) -> Result<statement::Outcome, Error> {
        let conn = self.pooled.begin();
        statement::within(conn, &self.tenant, &self.tenant.prelude, sql, params).await
    }
}
