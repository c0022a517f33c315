//! The database of `tenantry up`: the one that was named, or a private server's.

use std::path::PathBuf;

use anyhow::Context;
use control_plane::{Logins, bootstrap};
use local_postgres::Server;
use tenancy::db::Login;

use super::Options;
use crate::{
    database::{DATABASE, connect, parse, private},
    output::Output,
};

/// A database, and the server that we run for it, if we do.
pub(super) struct Database {
    server: Option<Server>,
    directory: PathBuf,
    admin: Login,
    options: bootstrap::Options,
}

impl Database {
    /// Starts a private server, unless a database was named.
    pub(super) async fn start(options: &Options, output: Output) -> anyhow::Result<Self> {
        let source = &options.source;
        let directory = source.tenantry_dir.clone();
        if let Some(url) = &source.database_url {
            let admin = parse(url, "DATABASE_URL")?;
            return Ok(Self {
                server: None,
                directory,
                admin,
                options: source.bootstrap_options(),
            });
        }
        let shown = directory.display();
        output.note(&format!("tenantry: starting PostgreSQL in {shown}"));
        let mut wanted = local_postgres::Options::new(&source.tenantry_dir);
        wanted.port = Some(options.local.postgres_port);
        wanted.binaries.clone_from(&options.local.postgres_bin_dir);
        let server = local_postgres::start(wanted).await?;
        let admin = private(&server.admin_url())?;
        Ok(Self {
            server: Some(server),
            directory,
            admin,
            options: source.bootstrap_options(),
        })
    }

    /// The administrator's way to it.
    pub(super) fn admin(&self) -> &Login {
        &self.admin
    }

    /// Brings it to where both planes can use it.
    pub(super) async fn make_ready(&self, logins: &Logins) -> anyhow::Result<()> {
        if let Some(server) = &self.server {
            ensure_database(&server.admin_url().parse()?).await?;
        }
        bootstrap(&self.admin, logins, &self.options).await?;
        Ok(())
    }

    /// Resolves when our own server has ended, to what is to be said of it. Somebody else's is
    /// not ours to watch.
    pub(super) async fn ended(&self) -> anyhow::Error {
        let Some(server) = &self.server else {
            return std::future::pending().await;
        };
        server.ended().await;
        let directory = self.directory.display();
        anyhow::anyhow!("PostgreSQL has ended; {directory}/postgres.log says why")
    }

    /// Stops our own server.
    pub(super) async fn stop(self, output: Output) -> anyhow::Result<()> {
        if let Some(server) = self.server {
            output.note("tenantry: stopping PostgreSQL");
            server.stop().await?;
        }
        Ok(())
    }
}

/// Makes the product's database on a server that does not have it yet.
async fn ensure_database(server: &Login) -> anyhow::Result<()> {
    let client = connect(server).await.context("the private PostgreSQL")?;
    let found = "SELECT FROM pg_database WHERE datname = $1";
    if client.query(found, &[&DATABASE]).await?.is_empty() {
        let make = format!("CREATE DATABASE {DATABASE}");
        client.batch_execute(&make).await?;
    }
    // The server is ours: nobody but its superuser has anything to do in its other databases.
    let closed = "REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC";
    client.batch_execute(closed).await?;
    Ok(())
}
