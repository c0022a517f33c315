//! The limits of sign-up and migration: the same DDL with nothing around it, and one hash.

use std::time::{Duration, Instant};

use anyhow::Context;
use argon2::{Algorithm, Argon2, Params, Version};
use tenancy::{RoleName, SchemaName, migrations};
use time::OffsetDateTime;
use tokio_postgres::Client;

use crate::{
    database::{ADMIN, Database},
    limits::{SINGLE_ROWS, SINGLE_SCHEMA},
};

/// Who gets the rights in the schemas made here.
const ROLE: &str = "tenant_bench_raw";

/// Creates tenants' schemas by the product's own SQL, each as one string in one round trip on one
/// connection: no HTTP, no validation, no registry, no password.
pub(crate) struct RawCreation {
    client: Client,
    role: RoleName,
    made: usize,
}

impl RawCreation {
    /// Under the control plane's login, which creates the product's own schemas as well.
    pub(crate) async fn new(database: &Database) -> anyhow::Result<Self> {
        let admin = database.connect(ADMIN).await?;
        admin
            .batch_execute(&format!("CREATE ROLE {ROLE} NOLOGIN"))
            .await?;
        let client = database.connect("tenantry_control").await?;
        Ok(Self {
            client,
            role: ROLE.parse()?,
            made: 0,
        })
    }

    /// Creates one schema and says how long it took.
    pub(crate) async fn create(&mut self) -> anyhow::Result<Duration> {
        let schema: SchemaName = schema(self.made).parse()?;
        let creation = migrations::creation(&schema, &self.role, OffsetDateTime::UNIX_EPOCH);
        let batch = format!("BEGIN;{creation};COMMIT");
        let started = Instant::now();
        self.client
            .batch_execute(&batch)
            .await
            .context("raw creation")?;
        let took = started.elapsed();
        self.made += 1;
        Ok(took)
    }

    /// Drops all that was made.
    pub(crate) async fn clean(self, database: &Database) -> anyhow::Result<()> {
        for number in 0..self.made {
            let drop = format!("DROP SCHEMA {} CASCADE", schema(number));
            self.client.batch_execute(&drop).await?;
        }
        let admin = database.connect(ADMIN).await?;
        Ok(admin
            .batch_execute(&format!("DROP OWNED BY {ROLE}; DROP ROLE {ROLE}"))
            .await?)
    }
}

fn schema(number: usize) -> String {
    format!("tenant_bench_raw_{number}")
}

/// The login of the limit server. It may become every tenant's role, as no login of the product may.
pub(crate) const LIMITS_LOGIN: &str = "bench_limits";

/// The login of the limit server, and the table behind the row `key`: one schema, no tenants, as many
/// rows as a hundred tenants have.
pub(crate) async fn single_schema(database: &Database) -> anyhow::Result<()> {
    let sql = format!(
        "CREATE SCHEMA {SINGLE_SCHEMA};
         CREATE TABLE {SINGLE_SCHEMA}.notes (
             id bigint PRIMARY KEY, author_id uuid, client_id text, title text NOT NULL,
             body text NOT NULL, version bigint NOT NULL, created_at timestamptz NOT NULL,
             updated_at timestamptz NOT NULL
         );
         INSERT INTO {SINGLE_SCHEMA}.notes
         SELECT number, NULL, NULL, 'note ' || number, repeat('x', 100), 1, now(), now()
         FROM generate_series(1, {SINGLE_ROWS}) number;
         CREATE ROLE {LIMITS_LOGIN} LOGIN NOINHERIT;
         GRANT USAGE ON SCHEMA {SINGLE_SCHEMA}, platform TO {LIMITS_LOGIN};
         GRANT SELECT ON {SINGLE_SCHEMA}.notes, platform.tenants TO {LIMITS_LOGIN};
         DO $$ DECLARE role text; BEGIN
             EXECUTE format('GRANT CONNECT ON DATABASE %I TO {LIMITS_LOGIN}', current_database());
             FOR role IN SELECT role_name FROM platform.tenants LOOP
                 EXECUTE format('GRANT %I TO {LIMITS_LOGIN}', role);
             END LOOP;
         END $$;"
    );
    database
        .connect(ADMIN)
        .await?
        .batch_execute(&sql)
        .await
        .context("the single-schema table")
}

/// Adds a column and an index to so many tenants' notes, one round trip each on one connection.
/// The last thing done to a database: nothing is measured on it afterwards.
pub(crate) async fn migrate(database: &Database, tenants: u16) -> anyhow::Result<Duration> {
    const SCHEMAS: &str = "SELECT quote_ident(schema_name) FROM platform.tenants LIMIT $1";
    let admin = database.connect(ADMIN).await?;
    let schemas: Vec<String> = admin
        .query(SCHEMAS, &[&i64::from(tenants)])
        .await?
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?;
    let started = Instant::now();
    for schema in schemas {
        let sql = format!(
            "ALTER TABLE {schema}.notes ADD COLUMN extra int;
             CREATE INDEX ON {schema}.notes (extra)"
        );
        admin.batch_execute(&sql).await?;
    }
    Ok(started.elapsed())
}

/// Hashes one password at the product's cost (argon2id, 19 MiB, two passes, one lane).
pub(crate) fn hash_once() -> anyhow::Result<Duration> {
    let params = Params::new(19 * 1024, 2, 1, None).context("argon2's parameters")?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut hash = [0; 32];
    let started = Instant::now();
    argon2
        .hash_password_into(b"correct horse battery", b"0123456789abcdef", &mut hash)
        .context("argon2")?;
    Ok(started.elapsed())
}
