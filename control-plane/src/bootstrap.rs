//! A database made ready: schema `platform`, the two planes' logins, and the global migrations.
//!
//! Runs at every start, as the administrative login, under a lock of its own; what is there
//! already is left as it is. Roles belong to the whole server, so that two databases of one
//! server share the logins.

mod logins;

use tenancy::db::Login;
use tokio_postgres::Client;

pub use logins::Logins;

mod migrations {
    #![allow(missing_docs, unreachable_pub)]
    refinery::embed_migrations!("../global-migrations");
}

/// Keeps two starts on one database apart; any number that nobody else uses.
const LOCK: i64 = 0x7465_6e61_6e74_7279;

/// Why a database could not be made ready.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached, or refused.
    #[error("the database refused: {0}")]
    Database(#[from] tokio_postgres::Error),
    /// The global migrations did not run.
    #[error("the global migrations did not run: {0}")]
    Migrations(#[from] refinery::Error),
    /// Services that run have another password for a login: giving it a new one would lock them
    /// out at their next connection.
    #[error(
        "the login {0} is in use under another password: give this one the same \
         (CONTROL_PASSWORD, DATA_PASSWORD), or stop the services that use it"
    )]
    LoginInUse(&'static str),
}

/// Makes the database ready that `admin` leads to. `admin` is a superuser, or, on a managed
/// server, the database's owner with CREATEROLE; then a gap stays, which the log names.
///
/// # Errors
/// [`Error`]; a later call goes on where this one stopped.
pub async fn bootstrap(admin: &Login, logins: &Logins) -> Result<(), Error> {
    let (mut client, connection) = admin.connect().await?;
    let driver = tokio::spawn(connection);
    let outcome = prepare(&mut client, admin, logins).await;
    drop(client);
    let _ = driver.await;
    outcome
}

/// How many of the global migrations have not run on the database yet. Changes nothing.
///
/// # Errors
/// [`Error`].
pub async fn pending(admin: &Login) -> Result<usize, Error> {
    const HISTORY: &str = "SELECT to_regclass('platform.refinery_schema_history') IS NOT NULL";
    let (mut client, connection) = admin.connect().await?;
    tokio::spawn(connection);
    let runner = migrations::migrations::runner();
    let known = runner.get_migrations().len();
    let history: bool = client.query_one(HISTORY, &[]).await?.try_get(0)?;
    if !history {
        return Ok(known);
    }
    client.batch_execute("SET search_path TO platform").await?;
    let applied = runner.get_applied_migrations_async(&mut client).await?;
    Ok(known.saturating_sub(applied.len()))
}

async fn prepare(client: &mut Client, admin: &Login, logins: &Logins) -> Result<(), Error> {
    client
        .execute("SELECT pg_advisory_lock($1)", &[&LOCK])
        .await?;
    client
        .batch_execute("CREATE SCHEMA IF NOT EXISTS platform")
        .await?;
    logins.ensure(client, admin).await?;
    client.batch_execute("SET search_path TO platform").await?;
    migrations::migrations::runner().run_async(client).await?;
    for gap in gaps(client).await? {
        tracing::warn!("{gap}");
    }
    Ok(())
}

/// A function of PostgreSQL's own that everybody may call and nobody should.
#[derive(Debug, thiserror::Error)]
#[error(
    "everybody may call {function}: {danger}; as a superuser: REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC"
)]
pub struct Gap {
    function: &'static str,
    danger: &'static str,
}

/// What is open: only a superuser can take functions from PUBLIC, everybody else's REVOKE is
/// ignored.
///
/// # Errors
/// Those of the database, or when `tenantry_data` is not there.
pub async fn gaps(client: &Client) -> Result<Vec<Gap>, tokio_postgres::Error> {
    const OPEN: &str = "SELECT has_function_privilege('tenantry_data', $1::text, 'EXECUTE')";
    const GAPS: [(&str, &str); 2] = [
        (
            "pg_catalog.set_config(text, text, boolean)",
            "SQL injected into a statement could leave its tenant",
        ),
        (
            "pg_catalog.pg_advisory_lock_shared(bigint)",
            "one session could fill the lock table and keep everybody out; its kin are open too",
        ),
    ];
    let mut open = Vec::new();
    for (function, danger) in GAPS {
        if client.query_one(OPEN, &[&function]).await?.try_get(0)? {
            open.push(Gap { function, danger });
        }
    }
    Ok(open)
}
