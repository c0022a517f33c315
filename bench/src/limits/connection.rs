//! Connections of the limit server: how a tenant-scoped query travels in one flight.

use std::collections::HashMap;

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use tokio_postgres::{Client, Config, Error, NoTls, Row, Statement, types::ToSql};

use super::{notes, tenants::Tenant};

pub(super) type Pool = managed::Pool<Connections>;

/// Which prepared statement serves a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// One for all: re-analysed whenever the path has changed since its last use.
    Shared,
    /// One per tenant: used under its path alone, so its plan stays; costs backend memory.
    PerTenant,
}

/// A connection and the statements prepared on it.
pub(super) struct Connection {
    client: Client,
    /// By the tenant's number; the shared one has none.
    statements: HashMap<Option<usize>, Statement>,
    by_key: Option<Statement>,
}

impl Connection {
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The notes query under a tenant's role and path. All three messages are on their way before
    /// the first answer is awaited, so a client that hangs up leaves no open transaction behind.
    pub(super) async fn in_tenant(
        &mut self,
        tenant: &Tenant,
        plan: Plan,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let statement = self.statement(tenant, plan).await?;
        let (entered, rows, left) = tokio::join!(
            biased;
            self.client.batch_execute(&tenant.enter),
            self.client.query(&statement, params),
            self.client.batch_execute("COMMIT"),
        );
        entered?;
        left?;
        rows
    }

    /// Prepared under the tenant's role and path, because outside of them the table is unknown.
    async fn statement(&mut self, tenant: &Tenant, plan: Plan) -> Result<Statement, Error> {
        let key = (plan == Plan::PerTenant).then_some(tenant.number);
        if let Some(statement) = self.statements.get(&key) {
            return Ok(statement.clone());
        }
        let (entered, statement, left) = tokio::join!(
            biased;
            self.client.batch_execute(&tenant.enter),
            self.client.prepare(notes::PAGE),
            self.client.batch_execute("COMMIT"),
        );
        entered?;
        left?;
        let statement = statement?;
        self.statements.insert(key, statement.clone());
        Ok(statement)
    }

    /// One row of the single-schema table.
    pub(super) async fn by_key(&mut self, key: i64) -> Result<Row, Error> {
        let statement = match &self.by_key {
            Some(statement) => statement.clone(),
            None => self
                .by_key
                .insert(self.client.prepare(&notes::by_key()).await?)
                .clone(),
        };
        self.client.query_one(&statement, &[&key]).await
    }
}

/// Makes connections for a pool.
pub(super) struct Connections(Config);

/// A pool of so many connections.
pub(super) fn pool(database_url: &str, size: usize) -> anyhow::Result<Pool> {
    Ok(Pool::builder(Connections(database_url.parse()?))
        .max_size(size)
        .build()?)
}

impl managed::Manager for Connections {
    type Type = Connection;
    type Error = Error;

    async fn create(&self) -> Result<Connection, Error> {
        let (client, driver) = self.0.connect(NoTls).await?;
        tokio::spawn(driver);
        Ok(Connection {
            client,
            statements: HashMap::new(),
            by_key: None,
        })
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<Error> {
        if connection.client.is_closed() {
            return Err(RecycleError::message("the connection is closed"));
        }
        Ok(())
    }
}
