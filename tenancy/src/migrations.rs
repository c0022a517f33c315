//! What every tenant's schema holds: the files of `tenant-migrations/`, run as one batch.
//!
//! The file format, checksums and history table are refinery's, so that refinery's own tools
//! accept what is found. The running is ours: refinery's runner needs a connection to itself,
//! several round trips and no transaction around it, while a tenant is made, or brought up to
//! date, in one transaction and one round trip.

use std::{fmt::Write, sync::LazyLock};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::names::{RoleName, SchemaName};

mod files {
    #![allow(missing_docs, unreachable_pub)]
    refinery::embed_migrations!("../tenant-migrations");
}

/// One file of `tenant-migrations/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// The number in its name.
    pub version: i32,
    /// The words in its name.
    pub name: String,
    /// refinery's checksum of version, name and SQL.
    pub checksum: u64,
    sql: String,
}

static ALL: LazyLock<Vec<Migration>> = LazyLock::new(|| {
    let runner = files::migrations::runner();
    let mut all: Vec<Migration> = runner
        .get_migrations()
        .iter()
        .map(|file| Migration {
            version: file.version(),
            name: file.name().to_owned(),
            checksum: file.checksum(),
            sql: file.sql().unwrap_or_default().to_owned(),
        })
        .collect();
    all.sort_by_key(|migration| migration.version);
    all
});

/// All migrations, the oldest first.
#[must_use]
pub fn all() -> &'static [Migration] {
    &ALL
}

/// The version of a schema that has them all.
#[must_use]
pub fn latest() -> i32 {
    ALL.last().map_or(0, |migration| migration.version)
}

/// SQL that makes a tenant's schema whole: for one round trip inside a transaction of the
/// control plane's login, which becomes the owner. Leaves `search_path` set to the schema for
/// the rest of the transaction.
#[must_use]
pub fn creation(schema: &SchemaName, role: &RoleName, now: OffsetDateTime) -> String {
    let mut sql = format!(
        "CREATE SCHEMA {schema};SET LOCAL search_path TO {schema};\
         CREATE TABLE refinery_schema_history(version int4 PRIMARY KEY, name varchar(255), \
         applied_on varchar(255), checksum varchar(255));"
    );
    // Made before, so that the role has no right to it.
    grant(&mut sql, schema, role);
    apply(&mut sql, all(), now);
    sql
}

/// SQL that brings a tenant's schema from a version to the latest, in the same manner; `None`
/// when there is nothing to do.
#[must_use]
pub fn pending(
    schema: &SchemaName,
    role: &RoleName,
    version: i32,
    now: OffsetDateTime,
) -> Option<String> {
    let behind = all()
        .iter()
        .position(|migration| migration.version > version)?;
    let mut sql = format!("SET LOCAL search_path TO {schema};");
    grant(&mut sql, schema, role);
    apply(&mut sql, &all()[behind..], now);
    Some(sql)
}

fn apply(sql: &mut String, migrations: &[Migration], now: OffsetDateTime) {
    let now = now.format(&Rfc3339).unwrap_or_default();
    for Migration {
        version,
        name,
        checksum,
        sql: statements,
    } in migrations
    {
        // Names are checked by the embedding macro: they hold word characters alone.
        let _ = write!(
            sql,
            "{statements}\n;INSERT INTO refinery_schema_history \
             VALUES ({version}, '{name}', '{now}', '{checksum}');"
        );
    }
}

/// What the role may do with the tables that come after. GRANT … ON ALL TABLES IN SCHEMA would read
/// the whole catalogue: a sign-up would cost more with every tenant.
fn grant(sql: &mut String, schema: &SchemaName, role: &RoleName) {
    let _ = write!(
        sql,
        "GRANT USAGE ON SCHEMA {schema} TO {role};\
         ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} \
         GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_in_order_and_named_plainly() {
        assert!(all().is_sorted_by_key(|migration| migration.version));
        assert_eq!(all().first().map(|migration| migration.version), Some(1));
        let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        assert!(
            all()
                .iter()
                .all(|migration| migration.name.bytes().all(word))
        );
    }

    #[test]
    fn the_readme_adds_the_next_migration() {
        let next = format!("tenant-migrations/V{}__tasks.sql", latest() + 1);
        assert!(include_str!("../../README.md").contains(&next), "{next}");
    }

    #[test]
    fn nothing_is_pending_at_the_latest_version() {
        let (schema, role) = ("tenant_a".parse().unwrap(), "tenant_1_1".parse().unwrap());
        let now = OffsetDateTime::UNIX_EPOCH;
        assert_eq!(pending(&schema, &role, latest(), now), None);
        assert!(pending(&schema, &role, latest() - 1, now).is_some());
    }
}
