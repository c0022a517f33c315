//! The database: logins, migrations, tenants, and what is kept ready for tenants to come.

use anyhow::{Context, ensure};
use control_plane::{ControlPlane, Difference, bootstrap, reaper};

use super::Finding;
use crate::{
    database::{Source, connect},
    migrate::behind,
};

/// What is wrong with one thing is told beside the rest, until nothing more can be asked.
pub(super) async fn look(source: &Source) -> Vec<Finding> {
    let mut findings = vec![
        Finding::new("login of the administrator", administrator(source).await),
        Finding::new("login tenantry_data", data(source).await),
    ];
    match source.control_plane().await {
        Ok(plane) => {
            let well = Ok("can log in".to_owned());
            findings.push(Finding::new("login tenantry_control", well));
            findings.push(Finding::new(
                "registry's migrations",
                registry(source).await,
            ));
            findings.push(Finding::new("tenants' migrations", tenants(&plane).await));
            findings.push(Finding::new("tenants' histories", histories(&plane).await));
            findings.push(Finding::new("spare roles", roles(&plane).await).only_warn());
        }
        Err(fault) => findings.push(Finding::new("login tenantry_control", Err(fault))),
    }
    findings.push(Finding::new("locks for a dump", locks(source).await).only_warn());
    findings.push(Finding::new("functions", closed(source).await).only_warn());
    findings.push(Finding::new("other databases", apart(source).await).only_warn());
    findings
}

async fn administrator(source: &Source) -> anyhow::Result<String> {
    connect(&source.admin()?).await?;
    Ok("can log in".to_owned())
}

async fn data(source: &Source) -> anyhow::Result<String> {
    let logins = source.known_logins()?;
    connect(&logins.data(&source.admin()?)).await?;
    Ok("can log in".to_owned())
}

async fn registry(source: &Source) -> anyhow::Result<String> {
    let pending = bootstrap::pending(&source.admin()?).await?;
    ensure!(
        pending == 0,
        "{pending} have not run: run `tenantry migrate run`"
    );
    Ok("all have run".to_owned())
}

async fn tenants(plane: &ControlPlane) -> anyhow::Result<String> {
    let status = plane.fleet_status().await?;
    let behind = behind(&status);
    ensure!(
        behind == 0,
        "{behind} tenants are behind: run `tenantry migrate run`"
    );
    Ok(format!("all at version {}", status.latest))
}

async fn histories(plane: &ControlPlane) -> anyhow::Result<String> {
    let different = plane.different_histories().await?;
    let Some(first) = different.first() else {
        return Ok("as the files have it".to_owned());
    };
    let Difference { tenant, difference } = first;
    let more = match different.len() {
        1 => String::new(),
        many => format!(
            ", and {} more: `tenantry migrate status` names them",
            many - 1
        ),
    };
    anyhow::bail!("{tenant}: {difference}{more}")
}

/// Whether the server has room for the locks of a whole dump: one for each table, view and sequence.
async fn locks(source: &Source) -> anyhow::Result<String> {
    const ROOM: &str = "SELECT current_setting('max_locks_per_transaction')::bigint, \
        current_setting('max_connections')::bigint \
            + current_setting('max_prepared_transactions')::bigint";
    const RELATIONS: &str =
        "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S')";
    let admin = connect(&source.admin()?).await?;
    let row = admin.query_one(ROOM, &[]).await?;
    let (each, sessions): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    let wanted: i64 = admin.query_one(RELATIONS, &[]).await?.try_get(0)?;
    let room = each * sessions;
    ensure!(
        wanted <= room,
        "pg_dump of the whole database takes {wanted} locks, and there is room for {room}: set \
         max_locks_per_transaction to {} at least",
        wanted / sessions + 1
    );
    Ok(format!("{wanted} of {room}"))
}

async fn roles(plane: &ControlPlane) -> anyhow::Result<String> {
    let spare = reaper::spare_roles(plane).await?;
    ensure!(
        spare > 0,
        "none; a sign-up makes its own, slowly. The control plane fills them up while it runs"
    );
    Ok(format!("{spare} for tenants to come"))
}

/// Whether PostgreSQL's own functions with which a tenant could harm others are closed.
async fn closed(source: &Source) -> anyhow::Result<String> {
    let admin = connect(&source.admin()?).await?;
    let asked = bootstrap::gaps(&admin).await;
    let gaps = asked.context("run `tenantry migrate run`")?;
    let told: Vec<String> = gaps.iter().map(ToString::to_string).collect();
    ensure!(told.is_empty(), "{}", told.join("; "));
    Ok("only those allowed are open to everybody".to_owned())
}

/// Whether whoever looks into a tenant has nothing to do in the server's other databases, where
/// they could settle what holds the end of their login up.
async fn apart(source: &Source) -> anyhow::Result<String> {
    const OTHERS: &str = "SELECT coalesce(string_agg(quote_ident(datname), ', '), '') \
        FROM pg_database WHERE datallowconn AND datname <> current_database() \
        AND has_database_privilege('tenantry_data', oid, 'CONNECT')";
    let admin = connect(&source.admin()?).await?;
    let asked = admin.query_one(OTHERS, &[]).await;
    let others: String = asked.context("tenantry_data is not there")?.try_get(0)?;
    ensure!(
        others.is_empty(),
        "everybody may connect to {others}; on a server of your own: REVOKE CONNECT ON DATABASE \
         {others} FROM PUBLIC"
    );
    Ok("closed to the data plane".to_owned())
}
