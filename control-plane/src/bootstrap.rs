//! A database made ready: schema `platform`, the two planes' logins, and the global migrations.
//!
//! Runs at every start, as the administrative login, under a lock of its own; what is there
//! already is left as it is. Roles belong to the whole server, so that two databases of one
//! server share the logins.

use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::{Client, Config, NoTls, error::SqlState};

mod migrations {
    #![allow(missing_docs, unreachable_pub)]
    refinery::embed_migrations!("../global-migrations");
}

/// Keeps two starts on one database apart; any number that nobody else uses.
const LOCK: i64 = 0x7465_6e61_6e74_7279;

/// The control plane's login.
pub const CONTROL_LOGIN: &str = "tenantry_control";
/// The data plane's login.
pub const DATA_LOGIN: &str = "tenantry_data";

/// The passwords of the planes' logins.
#[derive(Clone, Debug)]
pub struct Logins {
    /// Of [`CONTROL_LOGIN`].
    pub control: SecretString,
    /// Of [`DATA_LOGIN`].
    pub data: SecretString,
}

/// Why a database could not be made ready.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached, or refused.
    #[error("the database refused: {0}")]
    Database(#[from] tokio_postgres::Error),
    /// The global migrations did not run.
    #[error("the global migrations did not run: {0}")]
    Migrations(#[from] refinery::Error),
}

impl Logins {
    /// The control plane's way to the database that `admin` leads to.
    #[must_use]
    pub fn control(&self, admin: &Config) -> Config {
        login(admin, CONTROL_LOGIN, &self.control)
    }

    /// The data plane's way to the database that `admin` leads to.
    #[must_use]
    pub fn data(&self, admin: &Config) -> Config {
        login(admin, DATA_LOGIN, &self.data)
    }
}

fn login(admin: &Config, user: &str, password: &SecretString) -> Config {
    let mut config = admin.clone();
    config.user(user).password(password.expose_secret());
    config
}

/// Makes the database ready that `admin` leads to. `admin` must be able to create roles and
/// schemas there and to take rights from PUBLIC: a superuser, or on a managed server its
/// administrator.
///
/// # Errors
/// [`Error`]; a later call goes on where this one stopped.
pub async fn bootstrap(admin: &Config, logins: &Logins) -> Result<(), Error> {
    let (mut client, connection) = admin.connect(NoTls).await?;
    let driver = tokio::spawn(connection);
    let outcome = prepare(&mut client, admin, logins).await;
    drop(client);
    let _ = driver.await;
    outcome
}

async fn prepare(client: &mut Client, admin: &Config, logins: &Logins) -> Result<(), Error> {
    client
        .execute("SELECT pg_advisory_lock($1)", &[&LOCK])
        .await?;
    client
        .batch_execute("CREATE SCHEMA IF NOT EXISTS platform")
        .await?;
    for (name, config, password) in [
        (CONTROL_LOGIN, logins.control(admin), &logins.control),
        (DATA_LOGIN, logins.data(admin), &logins.data),
    ] {
        create(client, name).await?;
        // A change of a role makes every connection forget its memberships: only if need be.
        if config.connect(NoTls).await.is_err() {
            set_password(client, name, password).await?;
        }
    }
    client.batch_execute("SET search_path TO platform").await?;
    migrations::migrations::runner().run_async(client).await?;
    Ok(())
}

async fn create(client: &Client, name: &str) -> Result<(), tokio_postgres::Error> {
    let found = client
        .query("SELECT 1 FROM pg_roles WHERE rolname = $1", &[&name])
        .await?;
    if !found.is_empty() {
        return Ok(());
    }
    match client
        .batch_execute(&format!("CREATE ROLE {name} LOGIN NOINHERIT"))
        .await
    {
        // Made at the same moment for another database of this server.
        Err(fault)
            if is(
                &fault,
                &[SqlState::DUPLICATE_OBJECT, SqlState::UNIQUE_VIOLATION],
            ) =>
        {
            Ok(())
        }
        outcome => outcome,
    }
}

async fn set_password(
    client: &Client,
    name: &str,
    password: &SecretString,
) -> Result<(), tokio_postgres::Error> {
    let password = password.expose_secret().replace('\'', "''");
    client
        .batch_execute(&format!("ALTER ROLE {name} PASSWORD '{password}'"))
        .await
}

fn is(fault: &tokio_postgres::Error, codes: &[SqlState]) -> bool {
    fault.code().is_some_and(|code| codes.contains(code))
}
