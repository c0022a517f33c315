//! Tenants in the registry: found and listed.

use serde::Serialize;
use tenancy::{
    Hostname, SchemaName, Slug, Status, TenantId,
    db::{Error as DbError, Params},
};
use time::OffsetDateTime;
use tokio_postgres::Row;
use utoipa::ToSchema;

use super::Store;
use crate::error::Error;

macro_rules! columns {
    () => {
        "t.id, t.slug, t.name, t.plan, t.status, t.schema_name, t.schema_version, t.created_at, \
         t.delete_after, (SELECT hostname FROM platform.domains d WHERE d.tenant_id = t.id \
         AND verified_at IS NOT NULL ORDER BY verified_at, hostname LIMIT 1) AS domain"
    };
}

tenancy::statements! {
    SLUG_TAKEN = "SELECT 1 FROM platform.tenants WHERE slug = $1 AND status <> 'purged' \
        UNION ALL SELECT 1 FROM platform.former_slugs WHERE slug = $1 AND held_until > $2 \
        UNION ALL SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $3";
    FIND = concat!(
        "SELECT ", columns!(), " FROM platform.tenants t WHERE slug = $1 AND status <> 'purged'"
    );
    LISTED = concat!(
        "SELECT ", columns!(), " FROM platform.tenants t WHERE status = 'active' ",
        "AND settings @> '{\"listed\": true}' AND slug > coalesce($1::text, '') ",
        "ORDER BY slug LIMIT $2"
    );
    ALL = concat!(
        "SELECT ", columns!(), " FROM platform.tenants t WHERE status <> 'purged' ",
        "AND slug > coalesce($1::text, '') AND ($3::text IS NULL OR status = $3) ",
        "AND ($4::text IS NULL OR plan = $4) AND ($5::text IS NULL ",
        "OR position(lower($5) IN slug) > 0 OR position(lower($5) IN lower(name)) > 0) ",
        "ORDER BY slug LIMIT $2"
    );
    DUE = "SELECT slug FROM platform.tenants WHERE status = 'deleting' AND delete_after <= $1 \
        ORDER BY delete_after LIMIT 100";
}

/// A tenant, as an operator sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!(
    {"id": "0197c5a0-7e1c-7cc3-98c4-dc0c0c07398f", "slug": "acme", "name": "Acme",
    "domain": null, "plan": "free", "status": "active", "schema": "tenant_acme",
    "schema_version": 1, "created_at": "2026-01-31T09:30:00Z"}
))]
pub struct TenantRecord {
    /// Stays for good.
    #[schema(value_type = String)]
    pub id: TenantId,
    /// Its short name.
    #[schema(value_type = String)]
    pub slug: Slug,
    /// For people.
    pub name: String,
    /// Its primary verified domain.
    #[schema(value_type = Option<String>)]
    pub domain: Option<Hostname>,
    /// What it may use.
    pub plan: String,
    /// `provisioning`, `active`, `suspended` or `deleting`.
    pub status: &'static str,
    /// Where its tables are.
    pub schema: String,
    /// The last tenant migration that ran there.
    pub schema_version: i32,
    /// When it signed up.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Until when it can be restored, while it is being deleted.
    #[serde(with = "time::serde::rfc3339::option")]
    pub delete_after: Option<OffsetDateTime>,
}

/// Which tenants to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In this state.
    pub status: Option<Status>,
    /// On this plan.
    pub plan: Option<String>,
    /// With this in slug or name.
    pub search: Option<String>,
}

impl Store {
    /// Whether a slug is somebody's, held for the tenant that gave it up, or has a schema already.
    pub(crate) async fn slug_taken(&self, slug: &Slug, now: OffsetDateTime) -> Result<bool, Error> {
        let schema = SchemaName::of(slug);
        let params: Params<'_> = &[&slug.as_str(), &now, &schema.as_str()];
        Ok(!self.query(SLUG_TAKEN, params).await?.is_empty())
    }

    /// The tenant of a slug.
    ///
    /// # Errors
    /// `NoTenant`, or `Renamed` when it had that slug before.
    pub(crate) async fn tenant(&self, slug: &Slug) -> Result<TenantRecord, Error> {
        let rows = self.query(FIND, &[&slug.as_str()]).await?;
        match rows.first() {
            Some(row) => read(row),
            None => Err(self.no_tenant(slug).await),
        }
    }

    /// Active tenants that chose to be listed, in the order of their slugs.
    pub(crate) async fn listed(
        &self,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<TenantRecord>, Error> {
        self.query(LISTED, &[&after, &limit])
            .await?
            .iter()
            .map(read)
            .collect()
    }

    /// Tenants in the order of their slugs.
    pub(crate) async fn tenants(
        &self,
        filter: &Filter,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<TenantRecord>, Error> {
        let status = filter.status.map(Status::as_str);
        let rows = self
            .query(
                ALL,
                &[&after, &limit, &status, &filter.plan, &filter.search],
            )
            .await?;
        rows.iter().map(read).collect()
    }

    /// Tenants whose grace period is over.
    pub(crate) async fn due(&self, now: OffsetDateTime) -> Result<Vec<Slug>, Error> {
        let rows = self.query(DUE, &[&now]).await?;
        let read = |row: &Row| {
            let slug: String = row.try_get(0)?;
            Ok(slug.parse().map_err(DbError::unreadable)?)
        };
        rows.iter().map(read).collect()
    }
}

/// Reads a status that the registry holds.
pub(super) fn status(row: &Row) -> Result<Status, Error> {
    let text: String = row.try_get("status")?;
    Status::read(&text).ok_or_else(|| DbError::unreadable("status").into())
}

fn read(row: &Row) -> Result<TenantRecord, Error> {
    let (slug, domain): (String, Option<String>) = (row.try_get("slug")?, row.try_get("domain")?);
    Ok(TenantRecord {
        id: TenantId::new(row.try_get("id")?),
        slug: slug.parse().map_err(DbError::unreadable)?,
        name: row.try_get("name")?,
        domain: domain.and_then(|domain| domain.parse().ok()),
        plan: row.try_get("plan")?,
        status: status(row)?.as_str(),
        schema: row.try_get("schema_name")?,
        schema_version: row.try_get("schema_version")?,
        created_at: row.try_get("created_at")?,
        delete_after: row.try_get("delete_after")?,
    })
}
