//! Fleets that are made once, by SQL, and kept: the first tenant signs up as anybody does, and the
//! others are copies of it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context;
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use tenancy::{RoleName, SchemaName, Slug, migrations};
use time::OffsetDateTime;

use crate::{
    database::{ADMIN, Database},
    product::{Api, Product, Tenant},
    scratch::Scratch,
};

/// Notes that every tenant holds.
const NOTES: usize = 100;
/// Sessions that copy at once.
const AT_ONCE: usize = 2;
/// Copies that a session makes: it remembers every table, and drops all that it remembers each time
/// that the other's changes overflow the queue of invalidations (0.4 s a copy after two thousand).
const PER_SESSION: usize = 100;
/// Roles made in one transaction.
const ROLES: u32 = 256;
/// Where the first tenant's credentials are kept, beside the data; its being there says that the fleet
/// is whole.
const CREDENTIALS: &str = "credentials.json";

/// A fleet whose database runs.
pub(super) struct Fleet {
    pub(super) database: Database,
    credentials: Credentials,
}

/// Those of the first tenant, which its copies share.
#[derive(Clone, Deserialize, Serialize)]
struct Credentials {
    client_id: String,
    client_secret: String,
    token: String,
}

impl Fleet {
    /// Opens the fleet of a name and so many tenants, made before if need be.
    pub(super) async fn open(
        scratch: &Scratch,
        kept: &Path,
        binary: &Path,
        size: u32,
        name: &str,
    ) -> anyhow::Result<Self> {
        let version = Database::version().await?;
        let schema = migrations::latest();
        let folder = kept.join(format!("{name}-postgres-{version}-schema-{schema}"));
        if !folder.join(CREDENTIALS).exists() {
            make(scratch, &folder, binary, size).await?;
        }
        let text = fs::read_to_string(folder.join(CREDENTIALS))?;
        Ok(Self {
            database: Database::open(&folder).await?,
            credentials: serde_json::from_str(&text)?,
        })
    }

    /// One of its tenants, by number.
    pub(super) fn tenant(&self, number: u32) -> Tenant {
        let Credentials {
            client_id,
            client_secret,
            token,
        } = self.credentials.clone();
        Tenant {
            slug: slug(number),
            client_id,
            client_secret,
            token,
        }
    }

    /// Signs a tenant up that is purged at the end; how long it took.
    pub(super) async fn sign_up(&self, port: u16) -> anyhow::Result<Duration> {
        let slug = super::churn::new_slug();
        let started = Instant::now();
        Api::new(port).sign_up(&slug).await?;
        Ok(started.elapsed())
    }

    /// The database alone, once the product has stopped.
    pub(super) fn into_database(self, product: Product) -> Database {
        drop(product);
        self.database
    }
}

fn slug(number: u32) -> String {
    format!("bench-{number:05}")
}

async fn make(scratch: &Scratch, folder: &Path, binary: &Path, size: u32) -> anyhow::Result<()> {
    eprintln!("bench: making a fleet of {size} tenants, once");
    let _ = fs::remove_dir_all(folder);
    let parent = folder.parent().context("a directory for fleets")?;
    fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
    let database = Database::make(folder).await?;
    let credentials = first(scratch, &database, binary, size).await?;
    let roles = roles(&database, size.saturating_sub(1)).await?;
    let parts = (0..AT_ONCE).map(|part| copies(&database, &roles, part));
    try_join_all(parts).await?;
    let admin = database.connect(ADMIN).await?;
    // What autovacuum would have done by the time that a fleet has grown to this.
    for catalog in [
        "class",
        "attribute",
        "depend",
        "shdepend",
        "namespace",
        "constraint",
        "index",
        "type",
        "authid",
        "auth_members",
        "attrdef",
    ] {
        let sql = format!("VACUUM (ANALYZE) pg_catalog.pg_{catalog}");
        admin.batch_execute(&sql).await?;
    }
    admin
        .batch_execute("VACUUM ANALYZE platform.tenants; ")
        .await?;
    admin.batch_execute("CHECKPOINT").await?;
    drop((admin, database));
    let file: PathBuf = folder.join(CREDENTIALS);
    Ok(fs::write(file, serde_json::to_string(&credentials)?)?)
}

/// The tenant that the others are copies of. Its tokens hold for longer than any fleet is kept.
async fn first(
    scratch: &Scratch,
    database: &Database,
    binary: &Path,
    size: u32,
) -> anyhow::Result<Credentials> {
    let product = Product::serve(scratch, &format!("making-{size}"), database, binary).await?;
    let api = Api::new(product.port);
    api.sign_up(&slug(0)).await?;
    let tenant = api.prepare(&slug(0), NOTES).await?;
    drop(product);
    let schema = schema(0)?;
    let forever = format!(
        "UPDATE {schema}.tokens SET expires_at = '2100-01-01';
         UPDATE {schema}.authorizations SET expires_at = '2100-01-01'"
    );
    database
        .connect(ADMIN)
        .await?
        .batch_execute(&forever)
        .await?;
    Ok(Credentials {
        client_id: tenant.client_id,
        client_secret: tenant.client_secret,
        token: tenant.token,
    })
}

fn schema(number: u32) -> anyhow::Result<SchemaName> {
    Ok(SchemaName::of(&slug(number).parse::<Slug>()?))
}

/// Roles that no tenant has, made as the product makes them.
async fn roles(database: &Database, wanted: u32) -> anyhow::Result<Vec<String>> {
    const SPARE: &str = "SELECT name FROM platform.tenant_roles WHERE tenant_id IS NULL LIMIT $1";
    let admin = database.connect(ADMIN).await?;
    for _ in 0..wanted.div_ceil(ROLES) {
        let sql = format!("SELECT platform.make_tenant_roles({ROLES})");
        admin.batch_execute(&sql).await?;
    }
    let rows = admin.query(SPARE, &[&i64::from(wanted)]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Makes every [`AT_ONCE`]th of the copies.
async fn copies(database: &Database, roles: &[String], part: usize) -> anyhow::Result<()> {
    let first = schema(0)?;
    let numbered: Vec<_> = (1..).zip(roles).skip(part).step_by(AT_ONCE).collect();
    for some in numbered.chunks(PER_SESSION) {
        let client = database.connect("tenantry_control").await?;
        client.batch_execute("SET synchronous_commit = off").await?;
        for (number, role) in some {
            let sql = copy(&first, *number, role)?;
            client
                .batch_execute(&sql)
                .await
                .with_context(|| slug(*number))?;
        }
    }
    Ok(())
}

/// One tenant, as sign-up would leave it after [`Api::prepare`].
fn copy(first: &SchemaName, number: u32, role: &str) -> anyhow::Result<String> {
    let (slug, schema) = (slug(number), schema(number)?);
    let role: RoleName = role.parse()?;
    let creation = migrations::creation(&schema, &role, OffsetDateTime::UNIX_EPOCH);
    let version = migrations::latest();
    Ok(format!(
        "BEGIN;{creation};
         INSERT INTO users SELECT * FROM {first}.users;
         INSERT INTO clients SELECT * FROM {first}.clients;
         INSERT INTO authorizations SELECT * FROM {first}.authorizations;
         INSERT INTO tokens SELECT * FROM {first}.tokens;
         INSERT INTO notes OVERRIDING SYSTEM VALUE SELECT * FROM {first}.notes;
         SELECT setval(pg_get_serial_sequence('notes', 'id'), (SELECT max(id) FROM notes));
         UPDATE usage u SET used = f.used FROM {first}.usage f WHERE f.resource = u.resource;
         INSERT INTO platform.tenants (id, slug, name, schema_name, role_name, plan, status,
             schema_version, created_at)
         VALUES (gen_random_uuid(), '{slug}', '{slug}', '{schema}', '{role}', 'enterprise',
             'active', {version}, now());
         UPDATE platform.tenant_roles SET tenant_id = t.id FROM platform.tenants t
         WHERE t.slug = '{slug}' AND tenant_roles.name = '{role}';
         COMMIT"
    ))
}
