//! The tenants that the product made, as the limit server needs them: ready strings.

use std::collections::HashMap;

use anyhow::{Context, ensure};
use tokio_postgres::Client;

const ALL: &str = "SELECT slug, schema_name, role_name FROM platform.tenants \
                   WHERE status = 'active' ORDER BY slug";

/// One tenant.
pub(super) struct Tenant {
    /// Its place in the order of slugs: names its own prepared statement.
    pub(super) number: usize,
    /// The lane that serves it.
    pub(super) lane: usize,
    /// Opens a transaction and asserts role and path.
    pub(super) enter: String,
}

/// Every active tenant by its slug, dealt out evenly to lanes.
pub(super) async fn load(client: &Client, lanes: usize) -> anyhow::Result<HashMap<String, Tenant>> {
    let rows = client
        .query(ALL, &[])
        .await
        .context("reading the tenants")?;
    ensure!(!rows.is_empty(), "there are no tenants to serve");
    let mut tenants = HashMap::with_capacity(rows.len());
    for (number, row) in rows.iter().enumerate() {
        let (schema, role) = (
            quoted(row.try_get("schema_name")?),
            quoted(row.try_get("role_name")?),
        );
        let enter = format!("BEGIN; SET LOCAL ROLE {role}; SET LOCAL search_path = {schema}");
        tenants.insert(
            row.try_get("slug")?,
            Tenant {
                number,
                lane: number % lanes,
                enter,
            },
        );
    }
    Ok(tenants)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
