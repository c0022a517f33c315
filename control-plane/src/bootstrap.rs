//! A database made ready: schema `platform`, the logins of the planes and of the data plane's lanes,
//! the global migrations, and what everybody may execute.
//!
//! Runs at every start, as the administrative login, under a lock of its own; what is there
//! already is left as it is. Roles belong to the whole server, so that two databases of one
//! server share the logins.

mod functions;
mod logins;

use tenancy::db::Login;
use tokio_postgres::Client;

pub use functions::{Gap, gaps};
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
    LoginInUse(String),
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
    give_lanes(client).await?;
    functions::close(client).await?;
    for gap in gaps(client).await? {
        tracing::warn!("{gap}");
    }
    Ok(())
}

/// Gives lanes to the roles of tenants that are older than lanes, a batch in a transaction.
async fn give_lanes(client: &Client) -> Result<(), tokio_postgres::Error> {
    const BATCH: i32 = 500;
    loop {
        let given = client.query_one("SELECT platform.give_lanes($1)", &[&BATCH]);
        if given.await?.try_get::<_, i64>(0)? < i64::from(BATCH) {
            return Ok(());
        }
    }
}
