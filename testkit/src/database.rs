//! A fresh database for one test, ready for both planes.
//!
//! The first test of a run makes a template as the product would make a database; every test then
//! copies it, which takes some 50 ms. A dropped [`TestDatabase`] takes its database, and the
//! tenants' roles that were made for it, off the server again.

use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::{Hash, Hasher},
    path::Path,
};

use anyhow::Context as _;
use control_plane::{Logins, bootstrap, bootstrap::Options};
use tenancy::db::{LANES, Login, login_of_lane};
use tokio_postgres::{Client, SimpleQueryMessage, types::Oid};

use crate::server::DATABASE_URL;

/// Keeps tests from making the template twice; any number that nobody else uses.
const LOCK: i64 = 0x0074_656d_706c_6174;

/// A database of one test's own.
pub struct TestDatabase {
    server: Login,
    admin: Login,
    logins: Logins,
    name: String,
    oid: Oid,
}

impl TestDatabase {
    /// Makes a database on the server that `TEST_DATABASE_URL` names.
    ///
    /// # Errors
    /// When the variable is not set, or the server does not do it.
    pub async fn create() -> anyhow::Result<Self> {
        let server = server()?;
        let logins = logins();
        let client = connect(&server).await?;
        let template = template(&client, &server, &logins).await?;
        let name = format!("test_{}_{}", std::process::id(), next_number());
        client
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}"))
            .await
            .context("copying the template")?;
        client.batch_execute(&grants(&name)).await?;
        let oid = "SELECT oid FROM pg_database WHERE datname = $1";
        let oid = client.query_one(oid, &[&name]).await?.try_get(0)?;
        Ok(Self {
            admin: server.at(&name),
            server,
            logins,
            name,
            oid,
        })
    }

    /// The superuser's URL of it.
    ///
    /// # Errors
    /// When `TEST_DATABASE_URL` is no URL.
    pub fn admin_url(&self) -> anyhow::Result<String> {
        let url = std::env::var(DATABASE_URL)?;
        let (server, _) = url.rsplit_once('/').context(DATABASE_URL)?;
        Ok(format!("{server}/{}", self.name))
    }

    /// The superuser's way to it.
    #[must_use]
    pub fn admin(&self) -> Login {
        self.admin.clone()
    }

    /// The control plane's way to it.
    #[must_use]
    pub fn control(&self) -> Login {
        self.logins.control(&self.admin)
    }

    /// The data plane's way to it.
    #[must_use]
    pub fn data(&self) -> Login {
        self.logins.data(&self.admin)
    }

    /// The data plane's way to a tenant: the login of the lane that its role belongs to.
    ///
    /// # Errors
    /// When there is no such role.
    pub async fn lane_of(&self, role: &str) -> anyhow::Result<Login> {
        let lane = "SELECT lane FROM platform.tenant_roles WHERE name = $1";
        let lane: i16 = connect(&self.admin)
            .await?
            .query_one(lane, &[&role])
            .await?
            .try_get(0)?;
        Ok(self.data().of_lane(usize::try_from(lane)?))
    }

    /// The passwords of the planes' logins.
    #[must_use]
    pub fn logins(&self) -> &Logins {
        &self.logins
    }

    /// Its name on the server.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for TestDatabase {
    /// Best effort: the whole server goes when the run is over.
    fn drop(&mut self) {
        let (server, name, oid) = (self.server.clone(), self.name.clone(), self.oid);
        // On a thread of its own, since a test's runtime cannot be waited for from within.
        let remove = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.map(|runtime| runtime.block_on(remove(&server, &name, oid)))
        });
        let _ = remove.join();
    }
}

/// Connects, for as long as the client is held.
///
/// # Errors
/// When the server refuses.
pub async fn connect(login: &Login) -> anyhow::Result<Client> {
    let (client, connection) = login.connect().await?;
    tokio::spawn(connection);
    Ok(client)
}

fn server() -> anyhow::Result<Login> {
    let url = std::env::var(DATABASE_URL).with_context(|| {
        format!("{DATABASE_URL}: run the tests by `make test`, or under with-postgres")
    })?;
    url.parse().context(DATABASE_URL)
}

/// The logins belong to the whole server, so all databases of a run share their passwords.
fn logins() -> Logins {
    Logins {
        control: "control-of-the-tests".into(),
        data: "data-of-the-tests".into(),
    }
}

/// Databases of one process have different names.
fn next_number() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The template's name; made by whichever test comes first.
async fn template(client: &Client, server: &Login, logins: &Logins) -> anyhow::Result<String> {
    let name = format!("tenantry_template_{:x}", migrations()?);
    client
        .execute("SELECT pg_advisory_lock($1)", &[&LOCK])
        .await?;
    let ready = "SELECT FROM pg_database WHERE datname = $1 AND datistemplate";
    if client.query(ready, &[&name]).await?.is_empty() {
        let fresh = [
            format!("DROP DATABASE IF EXISTS {name}"),
            format!("CREATE DATABASE {name}"),
        ];
        for statement in fresh {
            client.batch_execute(&statement).await?;
        }
        bootstrap(&server.at(&name), logins, &Options::default()).await?;
        client
            .batch_execute(&format!("ALTER DATABASE {name} IS_TEMPLATE true"))
            .await?;
    }
    client
        .execute("SELECT pg_advisory_unlock($1)", &[&LOCK])
        .await?;
    Ok(name)
}

/// Tells templates of different global migrations apart.
fn migrations() -> anyhow::Result<u64> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../global-migrations"));
    let entries = fs::read_dir(folder).context("global-migrations")?;
    let mut files = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        fs::read(&file)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// A copy has its template's tables, but not its database's rights: those of the migrations
/// `logins` and `lanes`, again.
fn grants(name: &str) -> String {
    let lanes = (0..LANES).map(login_of_lane).collect::<Vec<_>>().join(", ");
    format!(
        "REVOKE ALL ON DATABASE {name} FROM PUBLIC;
         GRANT CONNECT ON DATABASE {name} TO tenantry_control, tenantry_data, {lanes};
         GRANT CREATE ON DATABASE {name} TO tenantry_control"
    )
}

async fn remove(server: &Login, name: &str, oid: Oid) -> anyhow::Result<()> {
    let client = connect(server).await?;
    // The server waits for every session, one among them perhaps that is logging in from the test that
    // waits for this.
    client.batch_execute("SET statement_timeout = '5s'").await?;
    client
        .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        .await?;
    let roles = format!(
        "SELECT string_agg(quote_ident(rolname), ',') FROM pg_roles \
         WHERE starts_with(rolname, 'tenant_{oid}_') OR starts_with(rolname, 'inspect_{oid}_')"
    );
    for message in client.simple_query(&roles).await? {
        if let SimpleQueryMessage::Row(row) = message
            && let Some(roles) = row.get(0)
        {
            client.batch_execute(&format!("DROP ROLE {roles}")).await?;
        }
    }
    Ok(())
}
