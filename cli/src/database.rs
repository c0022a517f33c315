//! Where the database is: the one that `DATABASE_URL` names, or the private server that
//! `tenantry up` runs.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use control_plane::{ControlPlane, Logins, Settings, bootstrap};
use local_postgres::Address;
use secrecy::{ExposeSecret, SecretString};
use service::{Clock, Entropy, password::Hasher, settings::from_environment};
use tenancy::db::Login;
use tokio_postgres::Client;

use crate::{local::addresses, secrets::Secrets};

/// The product's database on the private server.
pub(crate) const DATABASE: &str = "tenantry";

/// Named at each option: a heading of the whole group would go on behind it.
const HEADING: &str = "Database";

/// Where the database is, and how both planes log in.
#[derive(Args, Clone, Debug)]
pub(crate) struct Source {
    /// Directory of the private PostgreSQL and of secrets
    #[arg(long, env, help_heading = HEADING, default_value = ".tenantry")]
    pub(crate) tenantry_dir: PathBuf,
    /// Database to use, in place of a private server: its superuser, or its owner with CREATEROLE
    #[arg(long, env, help_heading = HEADING, hide_env_values = true)]
    pub(crate) database_url: Option<SecretString>,
    /// Let the database hold others' tables: rights are taken from PUBLIC, and given to the roles that
    /// are there
    #[arg(long, env, help_heading = HEADING)]
    pub(crate) share_database: bool,
    /// Database, logged in as tenantry_control: enough for `tenant`, `user`, `token` and `migrate
    /// status`
    #[arg(long, env, help_heading = HEADING, hide_env_values = true)]
    pub(crate) control_database_url: Option<SecretString>,
    /// Password of the login tenantry_control [default: drawn once, kept in TENANTRY_DIR]
    #[arg(long, env, help_heading = HEADING, hide_env_values = true)]
    pub(crate) control_password: Option<SecretString>,
    /// Password of the login tenantry_data [default: drawn once, kept in TENANTRY_DIR]
    #[arg(long, env, help_heading = HEADING, hide_env_values = true)]
    pub(crate) data_password: Option<SecretString>,
}

impl Source {
    /// The administrator's way to the database.
    ///
    /// # Errors
    /// When no `DATABASE_URL` is set and no private server runs.
    pub(crate) fn admin(&self) -> anyhow::Result<Login> {
        if let Some(url) = &self.database_url {
            return parse(url, "DATABASE_URL");
        }
        let Some(address) = local_postgres::running(&self.tenantry_dir)? else {
            bail!(
                "no server runs in {}: start it with `tenantry up`, or set DATABASE_URL",
                self.tenantry_dir.display()
            );
        };
        private(&address.admin_url())
    }

    /// How the database is made ready.
    pub(crate) fn bootstrap_options(&self) -> bootstrap::Options {
        bootstrap::Options {
            share: self.share_database,
            ..bootstrap::Options::default()
        }
    }

    /// The planes' passwords: given, kept, or drawn.
    ///
    /// # Errors
    /// When the directory cannot be read or written.
    pub(crate) fn logins(&self, entropy: &Entropy) -> anyhow::Result<Logins> {
        self.passwords(|secrets, name| secrets.kept_or_drawn(name, entropy))
    }

    /// The passwords of the product's own logins on a database that was made ready from here.
    ///
    /// # Errors
    /// When none are given, and none kept.
    pub(crate) fn known_logins(&self) -> anyhow::Result<Logins> {
        self.passwords(|secrets, name| {
            secrets.kept(name)?.with_context(|| {
                format!(
                    "no {name} is kept in {}, and none given: is this where `tenantry up` or \
                     `tenantry migrate run` was run?",
                    self.tenantry_dir.display()
                )
            })
        })
    }

    fn passwords(
        &self,
        find: impl Fn(&Secrets, &str) -> anyhow::Result<SecretString>,
    ) -> anyhow::Result<Logins> {
        let secrets = Secrets::of(&self.tenantry_dir);
        let login = |given: &Option<SecretString>, name| match given {
            Some(password) => Ok(password.clone()),
            None => find(&secrets, name),
        };
        Ok(Logins {
            control: login(&self.control_password, "control-password")?,
            data: login(&self.data_password, "data-password")?,
        })
    }

    /// The control plane on the database, as commands use it. The database must have been made
    /// ready before.
    ///
    /// # Errors
    /// When the database is not there, or not ready.
    pub(crate) async fn control_plane(&self) -> anyhow::Result<ControlPlane> {
        let entropy = Entropy::system()?;
        let control = match &self.control_database_url {
            Some(url) => parse(url, "CONTROL_DATABASE_URL")?,
            None => self.known_logins()?.control(&self.admin()?),
        };
        // Said here, once and plainly, and not by whichever query comes first.
        connect(&control).await.context(
            "the database cannot be used as tenantry_control (`tenantry migrate run` makes it \
             ready)",
        )?;
        ControlPlane::new(
            &self.settings()?,
            &addresses(),
            &control,
            Hasher::new(entropy.clone())?,
            Clock::system(),
            entropy,
        )
    }

    /// The control plane's settings as the environment has them.
    fn settings(&self) -> anyhow::Result<Settings> {
        let mut settings = from_environment();
        if self.database_url.is_none()
            && self.control_database_url.is_none()
            && let Some(port) = local_postgres::running(&self.tenantry_dir)?
                .as_ref()
                .and_then(Address::port)
        {
            on_loopback(&mut settings, port);
        }
        Ok(settings)
    }
}

/// People reach a private server at its port of loopback, unless something else is said.
pub(crate) fn on_loopback(settings: &mut Settings, port: u16) {
    if settings.inspect_address.is_none() {
        settings.inspect_address = format!("127.0.0.1:{port}").parse().ok();
    }
}

/// The administrator's way to the product's database on the private server.
pub(crate) fn private(admin_url: &str) -> anyhow::Result<Login> {
    let server: Login = admin_url.parse()?;
    Ok(server.at(DATABASE))
}

/// Reads a URL, whose text is never shown.
pub(crate) fn parse(url: &SecretString, variable: &'static str) -> anyhow::Result<Login> {
    url.expose_secret().parse().context(variable)
}

/// Connects, for as long as the client is held.
pub(crate) async fn connect(login: &Login) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = login.connect().await?;
    tokio::spawn(connection);
    Ok(client)
}
