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

use tenancy::{
    Sql,
    db::{Error, Params, RegistryPool},
};
use tokio_postgres::Row;

use tx::Tx;

/// The registry, as the control plane keeps it; cheap to clone.
#[derive(Clone)]
pub(crate) struct Store {
    pool: RegistryPool,
}

impl Store {
    pub(crate) fn new(pool: RegistryPool) -> Self {
        Self { pool }
    }

    /// The pool it works on.
    pub(crate) fn pool(&self) -> &RegistryPool {
        &self.pool
    }

    async fn query(&self, sql: Sql, params: Params<'_>) -> Result<Vec<Row>, Error> {
        self.pool.query(sql, params).await
    }

    async fn execute(&self, sql: Sql, params: Params<'_>) -> Result<u64, Error> {
        self.pool.execute(sql, params).await
    }

    async fn begin(&self) -> Result<Tx, Error> {
        Ok(Tx::new(self.pool.connection().await?))
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
