//! Which tenants are behind the latest migration, and bringing one up to it.

use serde_json::json;
use tenancy::{
    Slug,
    db::{Error as DbError, Params},
    migrations,
};
use time::OffsetDateTime;
use tokio_postgres::Row;

use super::{Store, tx::Tx};
use crate::error::Error;

tenancy::statements! {
    VERSIONS = "SELECT schema_version, count(*) FROM platform.tenants \
        WHERE status <> 'purged' GROUP BY schema_version ORDER BY schema_version";
    BEHIND = "SELECT schema_version, slug FROM platform.tenants WHERE status <> 'purged' \
        AND schema_version < $1 AND (schema_version, slug) > ($2, $3) \
        ORDER BY schema_version, slug LIMIT $4";
    COUNT_BEHIND = "SELECT count(*) FROM platform.tenants WHERE status <> 'purged' \
        AND schema_version < greatest($1, (SELECT max(schema_version) FROM platform.tenants \
        WHERE status <> 'purged'))";
    DIFFERENT = "SELECT slug, difference FROM platform.different_histories($1::text::jsonb)";
    LOCK = "SELECT schema_name, role_name, schema_version FROM platform.tenants \
        WHERE slug = $1 AND status <> 'purged' FOR UPDATE";
    SET_VERSION = "UPDATE platform.tenants SET schema_version = $2 WHERE slug = $1 \
        AND status <> 'purged'";
}

/// A tenant that is behind.
pub(crate) struct Behind {
    pub(crate) version: i32,
    pub(crate) slug: Slug,
}

impl Store {
    /// How many tenants are at which version.
    pub(crate) async fn versions(&self) -> Result<Vec<(i32, i64)>, Error> {
        let rows = self.query(VERSIONS, &[]).await?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect()
    }

    /// Tenants that are behind, the furthest first, after one of them.
    pub(crate) async fn behind(
        &self,
        after: Option<&Behind>,
        limit: i64,
    ) -> Result<Vec<Behind>, Error> {
        let (version, slug) =
            after.map_or((i32::MIN, ""), |last| (last.version, last.slug.as_str()));
        let params: Params<'_> = &[&migrations::latest(), &version, &slug, &limit];
        let rows = self.query(BEHIND, params).await?;
        let read = |row: &Row| {
            let slug: String = row.try_get(1)?;
            Ok(Behind {
                version: row.try_get(0)?,
                slug: slug.parse().map_err(DbError::unreadable)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Tenants whose schema's history is not that of the files, and how they differ. Reads a table of
    /// every tenant.
    pub(crate) async fn different_histories(&self) -> Result<Vec<(Slug, String)>, Error> {
        let file = |file: &migrations::Migration| {
            let (version, name) = (file.version, &file.name);
            json!({ "version": version, "name": name, "checksum": file.checksum.to_string() })
        };
        let files: Vec<_> = migrations::all().iter().map(file).collect();
        let rows = self.query(DIFFERENT, &[&json!(files).to_string()]).await?;
        let read = |row: &Row| {
            let slug: String = row.try_get(0)?;
            Ok((slug.parse().map_err(DbError::unreadable)?, row.try_get(1)?))
        };
        rows.iter().map(read).collect()
    }

    /// How many tenants are behind the latest migration, which may be a later version's than this
    /// program: a rollout that failed leaves the old one serving. Costs as much as there are of them.
    pub(crate) async fn count_behind(&self) -> Result<i64, Error> {
        let rows = self.query(COUNT_BEHIND, &[&migrations::latest()]).await?;
        Ok(rows.first().map_or(Ok(0), |row| row.try_get(0))?)
    }

    /// Brings one tenant up to the latest version, in one transaction. Does nothing, and says no,
    /// when it is there already or gone.
    pub(crate) async fn migrate(&self, slug: &Slug, now: OffsetDateTime) -> Result<bool, Error> {
        let tx = self.begin().await?;
        tx.begin().await?;
        let outcome = migrate(&tx, slug, now).await;
        tx.end(outcome).await
    }
}

async fn migrate(tx: &Tx, slug: &Slug, now: OffsetDateTime) -> Result<bool, Error> {
    let rows = tx.query(LOCK, &[&slug.as_str()]).await?;
    let Some(row) = rows.first() else {
        return Ok(false);
    };
    let (schema, role): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    let (schema, role) = (
        schema.parse().map_err(DbError::unreadable)?,
        role.parse().map_err(DbError::unreadable)?,
    );
    let Some(batch) = migrations::pending(&schema, &role, row.try_get(2)?, now) else {
        return Ok(false);
    };
    tx.client()
        .batch_execute("SET LOCAL lock_timeout = '5s'")
        .await
        .map_err(DbError::from)?;
    tx.client()
        .batch_execute(&batch)
        .await
        .map_err(DbError::from)?;
    tx.execute(SET_VERSION, &[&slug.as_str(), &migrations::latest()])
        .await?;
    Ok(true)
}
