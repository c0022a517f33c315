//! The two planes' logins and those of the data plane's lanes, which belong to the whole server:
//! whatever is done here may be done at the same moment for another database.

use std::time::Duration;

use futures_util::future::try_join_all;
use postgres_protocol::password::scram_sha_256;
use secrecy::{ExposeSecret, SecretString};
use tenancy::db::{LANES, Login, login_of_lane};
use tokio_postgres::{Client, Error, error::SqlState};

use crate::bootstrap;

const CONTROL: &str = "tenantry_control";
const DATA: &str = "tenantry_data";

/// How often a change of a role is tried while others change it too.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// The passwords of the planes' logins.
#[derive(Clone, Debug)]
pub struct Logins {
    /// Of `tenantry_control`.
    pub control: SecretString,
    /// Of `tenantry_data`.
    pub data: SecretString,
}

impl Logins {
    /// The control plane's way to the database that `admin` leads to.
    #[must_use]
    pub fn control(&self, admin: &Login) -> Login {
        admin.with(CONTROL, self.control.expose_secret())
    }

    /// The data plane's way to the database that `admin` leads to.
    #[must_use]
    pub fn data(&self, admin: &Login) -> Login {
        admin.with(DATA, self.data.expose_secret())
    }

    /// Sees to it that all logins are there and have these passwords: a lane's has the data plane's.
    /// One that somebody uses under another keeps it.
    pub(super) async fn ensure(
        &self,
        client: &Client,
        admin: &Login,
    ) -> Result<(), bootstrap::Error> {
        let planes = [(CONTROL, &self.control), (DATA, &self.data)];
        let planes = planes.map(|(name, password)| (name.to_owned(), password));
        let lanes = (0..LANES).map(|number| (login_of_lane(number), &self.data));
        let logins = planes.into_iter().chain(lanes);
        try_join_all(
            logins.map(async |(name, password)| ensure(client, admin, &name, password).await),
        )
        .await
        .map(drop)
    }
}

async fn ensure(
    client: &Client,
    admin: &Login,
    name: &str,
    password: &SecretString,
) -> Result<(), bootstrap::Error> {
    create(client, name).await?;
    // A change of a role makes every connection forget its memberships: only if need be.
    let login = admin.with(name, password.expose_secret());
    match login.connect().await {
        Ok(_) => Ok(()),
        Err(fault) if is_refused(&fault) => {
            if is_in_use(client, name).await? {
                return Err(bootstrap::Error::LoginInUse(name.to_owned()));
            }
            Ok(set_password(client, name, password).await?)
        }
        Err(fault) => Err(fault.into()),
    }
}

fn is_refused(fault: &Error) -> bool {
    fault.code() == Some(&SqlState::INVALID_PASSWORD)
}

/// Whether somebody is logged in. Those who just left are given a moment to be gone.
async fn is_in_use(client: &Client, name: &str) -> Result<bool, Error> {
    const FIND: &str = "SELECT FROM pg_stat_activity WHERE usename = $1 LIMIT 1";
    for _ in 0..ATTEMPTS {
        if client.query(FIND, &[&name]).await?.is_empty() {
            return Ok(false);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(true)
}

async fn create(client: &Client, name: &str) -> Result<(), Error> {
    const FIND: &str = "SELECT FROM pg_roles WHERE rolname = $1";
    if !client.query(FIND, &[&name]).await?.is_empty() {
        return Ok(());
    }
    let sql = format!("CREATE ROLE {name} LOGIN NOINHERIT");
    match client.batch_execute(&sql).await {
        Err(fault) if somebody_else_did(&fault) => Ok(()),
        outcome => outcome,
    }
}

fn somebody_else_did(fault: &Error) -> bool {
    let codes = [SqlState::DUPLICATE_OBJECT, SqlState::UNIQUE_VIOLATION];
    fault.code().is_some_and(|code| codes.contains(code))
}

/// Sends what PostgreSQL keeps of a password and not the password, which its log could show.
async fn set_password(client: &Client, name: &str, password: &SecretString) -> Result<(), Error> {
    let kept = scram_sha_256(password.expose_secret().as_bytes());
    let sql = format!("ALTER ROLE {name} PASSWORD '{kept}'");
    for _ in 1..ATTEMPTS {
        match client.batch_execute(&sql).await {
            // 'tuple concurrently updated': PostgreSQL has no code of its own for it.
            Err(fault) if fault.code() == Some(&SqlState::INTERNAL_ERROR) => {
                tokio::time::sleep(PAUSE).await;
            }
            outcome => return outcome,
        }
    }
    client.batch_execute(&sql).await
}
