//! The control plane's SQL on the registry and in tenants' schemas: one typed function beside each
//! statement. What the administrator runs to make a database ready is in [`mod@crate::bootstrap`].
//!
//! Everything here runs as `tenantry_control`. Names of the shared schema are written out. A
//! tenant's schema is the `search_path` of a single transaction, where it is made ([`signups`]),
//! migrated ([`fleet`]), and where its users are written ([`members`]).

pub(crate) mod changes;
pub(crate) mod domains;
pub(crate) mod events;
pub(crate) mod fleet;
pub(crate) mod former_slugs;
pub(crate) mod inspections;
pub(crate) mod members;
pub(crate) mod operators;
pub(crate) mod plans;
pub(crate) mod roles;
pub(crate) mod signups;
pub(crate) mod tenants;
mod tx;

use deadpool_postgres::{Object, Pool};
use tenancy::{
    Sql,
    db::{Error, Params, checkout},
};
use tokio_postgres::{Row, Statement};

use tx::Tx;

/// The registry, as the control plane keeps it; cheap to clone.
#[derive(Clone)]
pub(crate) struct Store {
    pool: Pool,
}

impl Store {
    pub(crate) fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// Whether the database answers.
    pub(crate) async fn answers(&self) -> bool {
        match checkout(&self.pool).await {
            Ok(client) => client.simple_query("").await.is_ok(),
            Err(_) => false,
        }
    }

    async fn query(&self, sql: Sql, params: Params<'_>) -> Result<Vec<Row>, Error> {
        let (client, statement) = self.prepared(sql).await?;
        Ok(client.query(&statement, params).await?)
    }

    async fn execute(&self, sql: Sql, params: Params<'_>) -> Result<u64, Error> {
        let (client, statement) = self.prepared(sql).await?;
        Ok(client.execute(&statement, params).await?)
    }

    /// A connection with a statement prepared on it. Nothing is done by then, so one that broke is
    /// left for another.
    async fn prepared(&self, sql: Sql) -> Result<(Object, Statement), Error> {
        let attempt = async || {
            let client = checkout(&self.pool).await?;
            let statement = client.prepare_cached(sql.text()).await?;
            Ok((client, statement))
        };
        match attempt().await {
            Err(cause) if Error::deserves_another_try(&cause) => attempt().await,
            outcome => outcome,
        }
    }

    async fn begin(&self) -> Result<Tx, Error> {
        Ok(Tx::new(checkout(&self.pool).await?))
    }
}

/// What a statement met that would have given a name to two: the request's field that says so.
fn taken(error: Error) -> crate::error::Error {
    let field = match error.unique_violation() {
        _ if error.is_duplicate_schema() => "slug",
        Some("domains_verified_key") => "domain",
        Some("tenants_slug_key" | "tenants_schema_name_key" | "former_slugs_pkey") => "slug",
        _ => return error.into(),
    };
    crate::error::Error::Taken { field }
}

/// Every statement of the control plane on the shared schema, by name: what a test prepares.
#[must_use]
pub fn statements() -> Vec<(&'static str, Sql)> {
    let modules = [
        changes::STATEMENTS,
        domains::STATEMENTS,
        events::STATEMENTS,
        fleet::STATEMENTS,
        former_slugs::STATEMENTS,
        inspections::STATEMENTS,
        members::STATEMENTS,
        operators::STATEMENTS,
        plans::STATEMENTS,
        roles::STATEMENTS,
        signups::STATEMENTS,
        tenants::STATEMENTS,
    ];
    modules.concat()
}
