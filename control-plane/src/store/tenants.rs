//! Tenants in the registry: found, listed, changed.

use serde::Serialize;
use tenancy::{Hostname, Slug, Status, TenantId, db::Error as DbError};
use time::OffsetDateTime;
use tokio_postgres::Row;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Store, roles::DROP_ROLE, tx::Tx};
use crate::error::Error;

macro_rules! columns {
    () => {
        "t.id, t.slug, t.name, t.plan, t.status, t.schema_name, t.schema_version, t.created_at, \
         t.delete_after, (SELECT hostname FROM platform.domains d WHERE d.tenant_id = t.id \
         AND verified_at IS NOT NULL ORDER BY verified_at, hostname LIMIT 1) AS domain"
    };
}

tenancy::statements! {
    PLAN_EXISTS = "SELECT 1 FROM platform.plans WHERE name = $1";
    SLUG_EXISTS = "SELECT 1 FROM platform.tenants WHERE slug = $1 AND status <> 'purged'";
    FIND = concat!(
        "SELECT ", columns!(), " FROM platform.tenants t WHERE slug = $1 AND status <> 'purged'"
    );
    LISTED = concat!(
        "SELECT ", columns!(), " FROM platform.tenants t WHERE status = 'active' ",
        "AND settings @> '{\"listed\": true}' AND ($1::text IS NULL OR slug > $1) ",
        "ORDER BY slug LIMIT $2"
    );
    ALL = concat!(
        "SELECT ", columns!(), " FROM platform.tenants t WHERE status <> 'purged' ",
        "AND ($1::text IS NULL OR slug > $1) AND ($3::text IS NULL OR status = $3) ",
        "AND ($4::text IS NULL OR plan = $4) AND ($5::text IS NULL ",
        "OR position(lower($5) IN slug) > 0 OR position(lower($5) IN lower(name)) > 0) ",
        "ORDER BY slug LIMIT $2"
    );
    LOCK = "SELECT id, status, schema_name, role_name FROM platform.tenants \
        WHERE slug = $1 AND status <> 'purged' FOR UPDATE";
    SET_STATUS = "UPDATE platform.tenants SET status = $2, delete_after = $3 WHERE id = $1";
    SET_PLAN = "UPDATE platform.tenants SET plan = $2 WHERE id = $1";
    RECORD = "INSERT INTO platform.events (at, tenant_id, actor, action, detail) \
        VALUES ($1, $2, $3, $4, $5::text::jsonb)";
    EVENTS = "SELECT e.id, e.at, e.actor, e.action, e.detail::text AS detail \
        FROM platform.events e JOIN platform.tenants t ON t.id = e.tenant_id \
        WHERE t.slug = $1 AND t.status <> 'purged' AND ($2::bigint IS NULL OR e.id < $2) \
        ORDER BY e.id DESC LIMIT $3";
    DUE = "SELECT slug FROM platform.tenants WHERE status = 'deleting' AND delete_after <= $1 \
        ORDER BY delete_after LIMIT 100";
    DROP_DOMAINS = "DELETE FROM platform.domains WHERE tenant_id = $1";
    DOMAINS = "SELECT d.hostname, d.verified_at FROM platform.domains d \
        JOIN platform.tenants t ON t.id = d.tenant_id \
        WHERE t.slug = $1 AND t.status <> 'purged' ORDER BY d.hostname";
    ADD_DOMAIN = "INSERT INTO platform.domains (hostname, tenant_id, created_at) \
        VALUES ($1, $2, $3)";
    VERIFY_DOMAIN = "UPDATE platform.domains SET verified_at = coalesce(verified_at, $3) \
        WHERE hostname = $1 AND tenant_id = $2";
    REMOVE_DOMAIN = "DELETE FROM platform.domains WHERE hostname = $1 AND tenant_id = $2";
}

/// A tenant, as an operator sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
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

/// Something that was done to a tenant.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Event {
    /// Rises with time.
    pub id: i64,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Who.
    pub actor: String,
    /// What, such as `tenant.suspended`.
    pub action: String,
    /// With what.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
}

/// A domain that a tenant claimed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Domain {
    /// The host name.
    pub hostname: String,
    /// When it was proven to be the tenant's; `null`: not yet, and not served.
    #[serde(with = "time::serde::rfc3339::option")]
    pub verified_at: Option<OffsetDateTime>,
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

/// A tenant whose row is locked until the transaction ends.
struct Locked {
    id: Uuid,
    status: Status,
    schema: String,
    role: String,
}

/// A change to a tenant, and the record of it.
pub(crate) struct Change<'a> {
    pub(crate) actor: &'a str,
    pub(crate) action: &'static str,
    pub(crate) detail: serde_json::Value,
    pub(crate) now: OffsetDateTime,
}

/// What a change does.
pub(crate) enum Step<'a> {
    Status(Status, Option<OffsetDateTime>),
    Plan(&'a str),
    AddDomain(&'a Hostname),
    VerifyDomain(&'a Hostname),
    RemoveDomain(&'a Hostname),
    Purge,
}

impl Store {
    pub(crate) async fn plan_exists(&self, plan: &str) -> Result<bool, Error> {
        Ok(!self.query(PLAN_EXISTS, &[&plan]).await?.is_empty())
    }

    pub(crate) async fn slug_exists(&self, slug: &Slug) -> Result<bool, Error> {
        Ok(!self.query(SLUG_EXISTS, &[&slug.as_str()]).await?.is_empty())
    }

    /// The tenant of a slug.
    pub(crate) async fn tenant(&self, slug: &Slug) -> Result<TenantRecord, Error> {
        let rows = self.query(FIND, &[&slug.as_str()]).await?;
        rows.first()
            .map_or_else(|| Err(Error::NoTenant(slug.to_string())), read)
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

    /// What was done to a tenant, the latest first.
    pub(crate) async fn events(
        &self,
        slug: &Slug,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Event>, Error> {
        let rows = self
            .query(EVENTS, &[&slug.as_str(), &before, &limit])
            .await?;
        rows.iter()
            .map(|row| {
                let detail: String = row.try_get("detail")?;
                Ok(Event {
                    id: row.try_get("id")?,
                    at: row.try_get("at")?,
                    actor: row.try_get("actor")?,
                    action: row.try_get("action")?,
                    detail: serde_json::from_str(&detail).map_err(DbError::unreadable)?,
                })
            })
            .collect()
    }

    /// The domains that a tenant claimed.
    pub(crate) async fn domains(&self, slug: &Slug) -> Result<Vec<Domain>, Error> {
        let rows = self.query(DOMAINS, &[&slug.as_str()]).await?;
        let read = |row: &Row| {
            Ok(Domain {
                hostname: row.try_get(0)?,
                verified_at: row.try_get(1)?,
            })
        };
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

    /// Changes a tenant, if `decide` lets it from where it is, and records who did.
    pub(crate) async fn change<'a>(
        &self,
        slug: &Slug,
        change: &Change<'_>,
        decide: impl FnOnce(Status) -> Result<Step<'a>, Error> + Send,
    ) -> Result<(), Error> {
        let tx = self.begin().await?;
        tx.begin().await?;
        let outcome = async {
            let locked = lock(&tx, slug).await?;
            let step = decide(locked.status)?;
            take(&tx, &locked, &step, change.now).await?;
            let detail = change.detail.to_string();
            let Change {
                actor, action, now, ..
            } = change;
            tx.execute(RECORD, &[now, &locked.id, actor, action, &detail])
                .await?;
            Ok(())
        }
        .await;
        tx.end(outcome).await
    }
}

async fn lock(tx: &Tx, slug: &Slug) -> Result<Locked, Error> {
    let rows = tx.query(LOCK, &[&slug.as_str()]).await?;
    let row = rows
        .first()
        .ok_or_else(|| Error::NoTenant(slug.to_string()))?;
    Ok(Locked {
        id: row.try_get("id")?,
        status: status(row)?,
        schema: row.try_get("schema_name")?,
        role: row.try_get("role_name")?,
    })
}

async fn take(tx: &Tx, tenant: &Locked, step: &Step<'_>, now: OffsetDateTime) -> Result<(), Error> {
    let none = |host: &Hostname| Error::NoDomain(host.to_string());
    match step {
        Step::Status(status, until) => {
            tx.execute(SET_STATUS, &[&tenant.id, &status.as_str(), until])
                .await?;
        }
        Step::Plan(plan) => {
            tx.execute(SET_PLAN, &[&tenant.id, plan]).await?;
        }
        Step::AddDomain(host) => {
            let added = tx
                .execute(ADD_DOMAIN, &[&host.as_str(), &tenant.id, &now])
                .await;
            added.map_err(|error| match error.unique_violation() {
                Some(_) => Error::Taken { field: "domain" },
                None => error.into(),
            })?;
        }
        Step::VerifyDomain(host) => {
            let found = tx
                .execute(VERIFY_DOMAIN, &[&host.as_str(), &tenant.id, &now])
                .await?;
            if found == 0 {
                return Err(none(host));
            }
        }
        Step::RemoveDomain(host) => {
            if tx
                .execute(REMOVE_DOMAIN, &[&host.as_str(), &tenant.id])
                .await?
                == 0
            {
                return Err(none(host));
            }
        }
        Step::Purge => purge(tx, tenant).await?,
    }
    Ok(())
}

/// Removes all that a tenant has but the record of it. Its names are free again.
async fn purge(tx: &Tx, tenant: &Locked) -> Result<(), Error> {
    let schema: tenancy::SchemaName = tenant.schema.parse().map_err(DbError::unreadable)?;
    tx.client()
        .batch_execute(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE"))
        .await
        .map_err(DbError::from)?;
    tx.execute(DROP_DOMAINS, &[&tenant.id]).await?;
    tx.query(DROP_ROLE, &[&tenant.role]).await?;
    let gone = Status::Purged.as_str();
    tx.execute(SET_STATUS, &[&tenant.id, &gone, &None::<OffsetDateTime>])
        .await?;
    Ok(())
}

fn status(row: &Row) -> Result<Status, Error> {
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
