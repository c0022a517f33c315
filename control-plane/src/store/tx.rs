//! A transaction of the control plane's login, on a connection that is closed unless it ended.

use deadpool_postgres::Object;
use tenancy::{
    Sql,
    db::{Error, Params},
};
use tokio_postgres::{Client, Row, Statement};

/// A connection that a transaction may be open on. Dropped before [`ended`](Self::ended), it is
/// closed, and PostgreSQL rolls back.
pub(super) struct Tx {
    client: Option<Object>,
    open: bool,
}

impl Tx {
    pub(super) fn new(client: Object) -> Self {
        Self {
            client: Some(client),
            open: true,
        }
    }

    #[expect(clippy::expect_used, reason = "only drop takes the connection")]
    fn object(&self) -> &Object {
        self.client.as_ref().expect("held until dropped")
    }

    /// The connection itself, to send several statements together.
    pub(super) fn client(&self) -> &Client {
        self.object()
    }

    pub(super) async fn prepare(&self, sql: Sql) -> Result<Statement, Error> {
        Ok(self.object().prepare_cached(sql.text()).await?)
    }

    /// Opens the transaction on its own, where there is nothing to send along.
    pub(super) async fn begin(&self) -> Result<(), Error> {
        Ok(self.client().batch_execute("BEGIN").await?)
    }

    pub(super) async fn query(&self, sql: Sql, params: Params<'_>) -> Result<Vec<Row>, Error> {
        let statement = self.prepare(sql).await?;
        self.checked(self.client().query(&statement, params).await)
    }

    pub(super) async fn execute(&self, sql: Sql, params: Params<'_>) -> Result<u64, Error> {
        let statement = self.prepare(sql).await?;
        self.checked(self.client().execute(&statement, params).await)
    }

    /// An outdated statement is prepared anew in the next transaction.
    fn checked<T>(&self, outcome: Result<T, tokio_postgres::Error>) -> Result<T, Error> {
        let outcome = outcome.map_err(Error::from);
        if outcome.as_ref().is_err_and(Error::is_outdated_statement) {
            self.object().statement_cache.clear();
        }
        outcome
    }

    /// The transaction is known to have ended.
    pub(super) fn ended(mut self) {
        self.open = false;
    }

    /// Ends the transaction without having done anything.
    pub(super) async fn roll_back(self) -> Result<(), Error> {
        self.client().batch_execute("ROLLBACK").await?;
        self.ended();
        Ok(())
    }

    /// Commits when the work succeeded and rolls back when it failed; passes its outcome on.
    pub(super) async fn end<T, E: From<Error>>(self, outcome: Result<T, E>) -> Result<T, E> {
        let word = if outcome.is_ok() {
            "COMMIT"
        } else {
            "ROLLBACK"
        };
        let ended = self.client().batch_execute(word).await;
        if ended.is_ok() {
            self.ended();
        }
        // What failed first says more than a rollback that fails for it.
        outcome.and_then(|value| Ok(ended.map(|()| value).map_err(Error::from)?))
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if let Some(client) = self.client.take()
            && self.open
        {
            drop(Object::take(client));
        }
    }
}
