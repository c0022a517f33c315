//! The PostgreSQL server of the run: private, durable as in production, gone with the scratch
//! directory. The product, the limits and the peers all use this one.

mod server;

use std::path::Path;

use anyhow::Context;
use tokio_postgres::{Client, NoTls};

use crate::{
    process::Service,
    scratch::{Scratch, free_ports},
};

/// Who administers the server.
pub(crate) const ADMIN: &str = "tenantry";
/// The product's database.
const PRODUCT: &str = "tenantry";

/// A running server, reached over its socket, where every login is trusted. Dropping it stops it.
pub(crate) struct Database {
    _server: Service,
    folder: String,
    port: u16,
}

impl Database {
    /// Starts a server in the scratch directory.
    pub(crate) async fn start(scratch: &Scratch) -> anyhow::Result<Self> {
        Self::make(&scratch.path("postgres")).await
    }

    /// Makes a folder with a server's data, and starts the server.
    pub(crate) async fn make(folder: &Path) -> anyhow::Result<Self> {
        server::initialize(folder).await.context("PostgreSQL")?;
        let database = Self::open(folder).await?;
        database.create(PRODUCT).await?;
        Ok(database)
    }

    /// Starts a server on the data that [`make`](Self::make) left in a folder.
    pub(crate) async fn open(folder: &Path) -> anyhow::Result<Self> {
        let [port] = free_ports()?;
        let server = server::start(folder, port).await.context("PostgreSQL")?;
        let folder = folder.to_str().context("the folder's name")?.to_owned();
        Ok(Self {
            _server: server,
            folder,
            port,
        })
    }

    /// The version of the server programs, such as `15.14`.
    pub(crate) async fn version() -> anyhow::Result<String> {
        server::version().await
    }

    /// What the product gets as its `DATABASE_URL`.
    pub(crate) fn product_url(&self) -> String {
        format!(
            "postgresql://{ADMIN}@/{PRODUCT}?host={}&port={}",
            self.folder, self.port
        )
    }

    /// How a login reaches the product's database.
    pub(crate) fn url(&self, user: &str) -> String {
        self.dsn(user, PRODUCT)
    }

    /// A connection to the product's database.
    pub(crate) async fn connect(&self, user: &str) -> anyhow::Result<Client> {
        self.connect_to(user, PRODUCT).await
    }

    /// The process ids of the backends of logins whose names are like these.
    pub(crate) async fn backends(&self, logins: &[&str]) -> anyhow::Result<Vec<u32>> {
        const SQL: &str = "SELECT pid FROM pg_stat_activity WHERE usename LIKE ANY ($1)";
        let rows = self.connect(ADMIN).await?.query(SQL, &[&logins]).await?;
        rows.iter()
            .map(|row| Ok(u32::try_from(row.try_get::<_, i32>(0)?)?))
            .collect()
    }

    /// The environment in which libpq reaches another database of the server.
    pub(crate) fn environment(&self, database: &str) -> Vec<(&'static str, String)> {
        vec![
            ("DB", database.to_owned()),
            ("PGHOST", self.folder.clone()),
            ("PGPORT", self.port.to_string()),
            ("PGUSER", ADMIN.to_owned()),
        ]
    }

    /// Makes a database.
    pub(crate) async fn create(&self, database: &str) -> anyhow::Result<()> {
        let admin = self.connect_to(ADMIN, "postgres").await?;
        Ok(admin
            .batch_execute(&format!("CREATE DATABASE {database}"))
            .await?)
    }

    /// Drops a database, whoever is still connected to it.
    pub(crate) async fn drop(&self, database: &str) -> anyhow::Result<()> {
        let admin = self.connect_to(ADMIN, "postgres").await?;
        Ok(admin
            .batch_execute(&format!("DROP DATABASE {database} WITH (FORCE)"))
            .await?)
    }

    async fn connect_to(&self, user: &str, database: &str) -> anyhow::Result<Client> {
        let (client, driver) = tokio_postgres::connect(&self.dsn(user, database), NoTls)
            .await
            .with_context(|| format!("connecting to PostgreSQL as {user}"))?;
        tokio::spawn(driver);
        Ok(client)
    }

    fn dsn(&self, user: &str, database: &str) -> String {
        format!(
            "host='{}' port={} user={user} dbname={database}",
            self.folder, self.port
        )
    }
}
