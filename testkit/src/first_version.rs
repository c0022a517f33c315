//! Tenants as version 0.1.0 left them, for tests of migrations.

use std::fmt::Write;

use tenancy::migrations::all;
use tokio_postgres::Client;

/// The migrations of version 0.1.0.
const MIGRATIONS: [&str; 3] = [
    include_str!("../../tenant-migrations/V1__identity.sql"),
    include_str!("../../tenant-migrations/V2__oauth.sql"),
    include_str!("../../tenant-migrations/V3__notes.sql"),
];

/// Makes a tenant's schema anew, and empty, as version 0.1.0 made it. `client` is the superuser's.
pub async fn set_back(client: &Client, slug: &str) {
    let mut sql = format!(
        "DROP SCHEMA tenant_{slug} CASCADE; SET ROLE tenantry_control;
         CREATE SCHEMA tenant_{slug}; SET search_path TO tenant_{slug};
         CREATE TABLE refinery_schema_history(version int4 PRIMARY KEY, name varchar(255),
         applied_on varchar(255), checksum varchar(255));"
    );
    for (text, migration) in MIGRATIONS.iter().zip(all()) {
        let (version, name, checksum) = (migration.version, &migration.name, migration.checksum);
        write!(
            sql,
            "{text};INSERT INTO refinery_schema_history
             VALUES ({version}, '{name}', '2026-01-01T00:00:00Z', '{checksum}');"
        )
        .unwrap();
    }
    let version = MIGRATIONS.len();
    write!(
        sql,
        "RESET ROLE; RESET search_path;
         UPDATE platform.tenants SET schema_version = {version} WHERE slug = '{slug}'"
    )
    .unwrap();
    client.batch_execute(&sql).await.unwrap();
}
