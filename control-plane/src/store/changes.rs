//! Changes to a tenant: its row is locked, the change decided by where it is, done, and recorded,
//! all in one transaction.

use tenancy::{Hostname, SchemaName, Slug, Status, db::Error as DbError};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Store, domains,
    events::{self, Change},
    former_slugs, inspections, taken,
    tenants::status,
    tx::Tx,
};
use crate::error::Error;

tenancy::statements! {
    LOCK = "SELECT id, status, name, schema_name FROM platform.tenants \
        WHERE slug = $1 AND status <> 'purged' FOR UPDATE";
    SET_STATUS = "UPDATE platform.tenants SET status = $2 WHERE id = $1";
    DELETE = "UPDATE platform.tenants SET status = 'deleting', restored_as = status, \
        delete_after = $2 WHERE id = $1";
    RESTORE = "UPDATE platform.tenants SET status = restored_as, restored_as = NULL, \
        delete_after = NULL WHERE id = $1";
    PURGED = "UPDATE platform.tenants SET status = 'purged', restored_as = NULL, \
        delete_after = NULL WHERE id = $1";
    RENAME = "UPDATE platform.tenants SET name = coalesce($2, name), slug = coalesce($3, slug), \
        schema_name = coalesce($4, schema_name) WHERE id = $1";
    SET_PLAN = "UPDATE platform.tenants SET plan = $2 WHERE id = $1";
}

/// What a change does.
pub(crate) enum TenantChange<'a> {
    /// To another state, with nothing else to it.
    Status(Status),
    /// Towards being purged, at that time.
    Delete(OffsetDateTime),
    /// Back to what it was before it was deleted.
    Restore,
    /// Away with everything but the record.
    Purge,
    /// To other names; `None` stays. The slug given up is held until that time, if it is at all.
    Rename {
        name: Option<&'a str>,
        slug: Option<&'a Slug>,
        held_until: Option<OffsetDateTime>,
    },
    /// To another plan.
    Plan(&'a str),
    /// A domain claimed.
    AddDomain(&'a Hostname),
    /// A domain proven.
    VerifyDomain(&'a Hostname),
    /// A domain given up.
    RemoveDomain(&'a Hostname),
}

impl TenantChange<'_> {
    /// Whether it would change nothing, and so is no change to be recorded.
    fn is_so_already(&self, tenant: &Locked) -> bool {
        match self {
            Self::Rename { name, slug, .. } => {
                name.is_none_or(|name| name == tenant.name)
                    && slug.is_none_or(|slug| *slug == tenant.slug)
            }
            _ => false,
        }
    }
}

/// A tenant whose row is locked until the transaction ends.
pub(super) struct Locked {
    pub(super) id: Uuid,
    slug: Slug,
    status: Status,
    name: String,
    pub(super) schema: String,
}

impl Store {
    /// Changes a tenant, if `decide` lets it from where it is, and records who did.
    ///
    /// # Errors
    /// `NoTenant`, what `decide` says, and what the step itself meets.
    pub(crate) async fn change<'a>(
        &self,
        slug: &Slug,
        change: &Change<'_>,
        decide: impl FnOnce(Status) -> Result<TenantChange<'a>, Error> + Send,
    ) -> Result<(), Error> {
        let tx = self.begin().await?;
        tx.begin().await?;
        let outcome = async {
            let locked = lock(&tx, slug).await?;
            let step = decide(locked.status)?;
            if step.is_so_already(&locked) {
                return Ok(());
            }
            apply(&tx, &locked, &step, change.now).await?;
            events::record(&tx, locked.id, change).await
        }
        .await;
        tx.end(outcome).await
    }
}

/// Locks a tenant's row until the transaction ends.
pub(super) async fn lock(tx: &Tx, slug: &Slug) -> Result<Locked, Error> {
    let rows = tx.query(LOCK, &[&slug.as_str()]).await?;
    let Some(row) = rows.first() else {
        return Err(former_slugs::no_tenant(tx, slug).await);
    };
    Ok(Locked {
        id: row.try_get("id")?,
        slug: slug.clone(),
        status: status(row)?,
        name: row.try_get("name")?,
        schema: row.try_get("schema_name")?,
    })
}

async fn apply(
    tx: &Tx,
    tenant: &Locked,
    step: &TenantChange<'_>,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let id = &tenant.id;
    match step {
        TenantChange::Status(status) => tx.execute(SET_STATUS, &[id, &status.as_str()]).await?,
        TenantChange::Delete(until) => tx.execute(DELETE, &[id, until]).await?,
        TenantChange::Restore => tx.execute(RESTORE, &[id]).await?,
        TenantChange::Purge => purge(tx, tenant).await?,
        TenantChange::Rename {
            name,
            slug,
            held_until,
        } => {
            let slug = slug.filter(|slug| **slug != tenant.slug);
            if let Some(slug) = slug {
                former_slugs::release(tx, *id, slug, now).await?;
            }
            let renamed = rename(tx, tenant, *name, slug).await?;
            if let (Some(_), Some(until)) = (slug, held_until) {
                former_slugs::hold(tx, *id, &tenant.slug, *until).await?;
            }
            renamed
        }
        TenantChange::Plan(plan) => tx
            .execute(SET_PLAN, &[id, plan])
            .await
            .map_err(|error| no_plan(error, plan))?,
        TenantChange::AddDomain(host) => domains::claim(tx, *id, host, now).await?,
        TenantChange::VerifyDomain(host) => domains::verify(tx, *id, host, now).await?,
        TenantChange::RemoveDomain(host) => domains::remove(tx, *id, host).await?,
    };
    Ok(())
}

/// Removes all that a tenant has but the record of it. Its names are free again. Its role, which has
/// no rights any more, is dropped by the reaper with others.
async fn purge(tx: &Tx, tenant: &Locked) -> Result<u64, Error> {
    let schema: SchemaName = tenant.schema.parse().map_err(DbError::unreadable)?;
    tx.client()
        .batch_execute(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE"))
        .await
        .map_err(DbError::from)?;
    domains::remove_all(tx, tenant.id).await?;
    former_slugs::release_all(tx, tenant.id).await?;
    Ok(tx.execute(PURGED, &[&tenant.id]).await?)
}

/// The row first, whose unique index decides between two that want the same slug.
async fn rename(
    tx: &Tx,
    tenant: &Locked,
    name: Option<&str>,
    slug: Option<&Slug>,
) -> Result<u64, Error> {
    let schema = slug.map(SchemaName::of);
    let schema = schema.filter(|schema| schema.as_str() != tenant.schema);
    let words = (
        slug.map(Slug::as_str),
        schema.as_ref().map(SchemaName::as_str),
    );
    let renamed = tx
        .execute(RENAME, &[&tenant.id, &name, &words.0, &words.1])
        .await
        .map_err(taken)?;
    if let Some(schema) = &schema {
        let old: SchemaName = tenant.schema.parse().map_err(DbError::unreadable)?;
        let sql = format!("ALTER SCHEMA {old} RENAME TO {schema}");
        let moved = tx.client().batch_execute(&sql).await;
        moved.map_err(|cause| taken(cause.into()))?;
        inspections::follow(tx, tenant.id, schema).await?;
    }
    Ok(renamed)
}

fn no_plan(error: DbError, plan: &str) -> Error {
    if error.is_foreign_key_violation() {
        return Error::NoPlan(plan.chars().take(50).collect());
    }
    error.into()
}
