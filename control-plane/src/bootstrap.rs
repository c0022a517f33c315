//! A database made ready: schema `platform`, the logins of the planes and of the data plane's lanes,
//! the global migrations, and what everybody may execute.
//!
//! Runs at every start, as the administrative login, under a lock of its own; what is there
//! already is left as it is. Roles belong to the whole server, so that two databases of one
//! server share the logins.

mod functions;
mod logins;
mod others;

use std::time::Duration;

use tenancy::db::{Login, describe};
use tokio_postgres::Client;

pub use functions::{Gap, gaps};
pub use logins::Logins;
use others::Others;

mod migrations {
    #![allow(missing_docs, unreachable_pub)]
    refinery::embed_migrations!("../global-migrations");
}

/// Keeps two starts on one database apart; any number that nobody else uses.
const LOCK: i64 = 0x7465_6e61_6e74_7279;

/// Between two tries to take the lock.
const PAUSE: Duration = Duration::from_millis(100);

/// How a database is made ready.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether one may be used that holds others' tables.
    pub share: bool,
    /// How long another that makes the database ready is waited for.
    pub wait: Duration,
}

impl Default for Options {
    /// A database of its own, and five minutes: what another does takes seconds even at ten thousand
    /// tenants.
    fn default() -> Self {
        Self {
            share: false,
            wait: Duration::from_mins(5),
        }
    }
}

/// Why a database could not be made ready.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached, or refused.
    #[error("the database refused: {}", describe(.0))]
    Database(tokio_postgres::Error),
    /// Texts of tenants do not fit into it.
    #[error(
        "the database's encoding is {0}, and has to be UTF8: CREATE DATABASE … ENCODING 'UTF8' \
         TEMPLATE template0"
    )]
    Encoding(String),
    /// Somebody else's tables are there, whose users would lose rights that everybody has.
    #[error(
        "the database holds others' tables, such as {0}: give Tenantry a database of its own, or \
         set SHARE_DATABASE=true, which takes rights from PUBLIC and gives them to the roles that \
         are there now"
    )]
    OthersTables(String),
    /// Another makes it ready all the time.
    #[error("{0} still makes the database ready; try again when it has ended, or end it")]
    Locked(String),
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

impl From<tokio_postgres::Error> for Error {
    fn from(cause: tokio_postgres::Error) -> Self {
        Self::Database(cause)
    }
}

/// Makes the database ready that `admin` leads to. `admin` is a superuser, or, on a managed
/// server, the database's owner with CREATEROLE; then a gap stays, which the log names.
///
/// # Errors
/// [`Error`]; a later call goes on where this one stopped.
pub async fn bootstrap(admin: &Login, logins: &Logins, options: &Options) -> Result<(), Error> {
    let (mut client, connection) = admin.named("tenantry bootstrap").connect().await?;
    let driver = tokio::spawn(connection);
    let outcome = prepare(&mut client, admin, logins, options).await;
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

async fn prepare(
    client: &mut Client,
    admin: &Login,
    logins: &Logins,
    options: &Options,
) -> Result<(), Error> {
    check_encoding(client).await?;
    lock(client, options.wait).await?;
    let others = Others::find(client, options.share).await?;
    client
        .batch_execute("CREATE SCHEMA IF NOT EXISTS platform")
        .await?;
    logins.ensure(client, admin).await?;
    client.batch_execute("SET search_path TO platform").await?;
    migrations::migrations::runner().run_async(client).await?;
    give_lanes(client).await?;
    others.keep_rights(client).await?;
    functions::close(client).await?;
    for gap in gaps(client).await? {
        tracing::warn!("{gap}");
    }
    Ok(())
}

/// Refuses a database that is not UTF-8. One that an earlier version was given is served on.
async fn check_encoding(client: &Client) -> Result<(), Error> {
    const ENCODING: &str = "SELECT current_setting('server_encoding'), \
        to_regnamespace('platform') IS NULL";
    let row = client.query_one(ENCODING, &[]).await?;
    let (encoding, is_new): (String, bool) = (row.try_get(0)?, row.try_get(1)?);
    if encoding == "UTF8" {
        return Ok(());
    }
    if is_new {
        return Err(Error::Encoding(encoding));
    }
    tracing::warn!(
        encoding,
        "the database is not UTF-8: dump it, and restore it into one that is"
    );
    Ok(())
}

const HOLDER: &str = "SELECT format('process %s (%s)', a.pid, a.application_name) \
    FROM pg_locks l JOIN pg_stat_activity a USING (pid) \
    WHERE l.locktype = 'advisory' AND l.granted \
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
    AND (l.classid::bigint << 32 | l.objid::bigint) = $1";

/// Takes the lock that keeps two starts apart, for as long as the session lasts.
async fn lock(client: &Client, wait: Duration) -> Result<(), Error> {
    let waiting = async {
        let mut is_noted = false;
        while !try_lock(client).await? {
            if !is_noted {
                is_noted = true;
                let holder = holder(client).await?;
                tracing::warn!(holder, "waiting for another that makes the database ready");
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    };
    match tokio::time::timeout(wait, waiting).await {
        Ok(locked) => locked,
        Err(_) => Err(Error::Locked(holder(client).await?)),
    }
}

async fn try_lock(client: &Client) -> Result<bool, tokio_postgres::Error> {
    let locked = client.query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK]);
    locked.await?.try_get(0)
}

/// Who has the lock, by process id and name.
async fn holder(client: &Client) -> Result<String, tokio_postgres::Error> {
    let found = client.query_opt(HOLDER, &[&LOCK]).await?;
    found.map_or(Ok("another process".to_owned()), |row| row.try_get(0))
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
