//! How long `tenantry migrate run` takes for a tenant, when all of a fleet are one version behind.

use std::time::Instant;

use anyhow::ensure;
use tenancy::migrations;
use tokio::process::Command;

use crate::{
    database::{ADMIN, Database},
    process,
};

/// The latest tenant migration, and what takes it back in the schema `search_path` names.
const LATEST: i32 = 8;
const UNDO: &str = "ALTER TABLE tokens
    ADD CONSTRAINT tokens_client_id_fkey FOREIGN KEY (client_id) REFERENCES clients
        ON DELETE CASCADE NOT VALID,
    ADD CONSTRAINT tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES users
        ON DELETE CASCADE NOT VALID";

/// Milliseconds for each tenant; `command` is the product's program at the database.
///
/// # Errors
/// When the rollout fails, or nobody wrote down how the latest migration is taken back.
pub(super) async fn measure(
    database: &Database,
    mut command: Command,
    tenants: u32,
) -> anyhow::Result<f64> {
    ensure!(
        migrations::latest() == LATEST,
        "bench/src/fleet/rollout.rs does not know how to take the latest tenant migration back"
    );
    take_back(database).await?;
    let started = Instant::now();
    process::output(command.args(["migrate", "run"])).await?;
    Ok(started.elapsed().as_secs_f64() * 1e3 / f64::from(tenants))
}

async fn take_back(database: &Database) -> anyhow::Result<()> {
    const SCHEMAS: &str = "SELECT schema_name FROM platform.tenants WHERE status = 'active'";
    let admin = database.connect(ADMIN).await?;
    let control = database.connect("tenantry_control").await?;
    let before = LATEST - 1;
    for row in admin.query(SCHEMAS, &[]).await? {
        let schema: String = row.try_get(0)?;
        let sql = format!(
            "BEGIN; SET LOCAL search_path TO {schema}; SET LOCAL synchronous_commit = off;
             {UNDO};
             DELETE FROM refinery_schema_history WHERE version = {LATEST};
             COMMIT"
        );
        control.batch_execute(&sql).await?;
    }
    let sql =
        format!("UPDATE platform.tenants SET schema_version = {before} WHERE status = 'active'");
    Ok(admin.batch_execute(&sql).await?)
}
