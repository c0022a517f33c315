//! Who did what to which tenant, and to the platform itself.

use serde::Serialize;
use serde_json::Value;
use tenancy::{Slug, db::Error as DbError};
use time::OffsetDateTime;
use tokio_postgres::Row;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Store, tx::Tx};
use crate::error::Error;

tenancy::statements! {
    RECORD = "INSERT INTO platform.events (at, tenant_id, actor, action, detail) \
        VALUES ($1, $2, $3, $4, $5::text::jsonb)";
    EVENTS = "SELECT e.id, e.at, e.actor, e.action, e.detail::text AS detail \
        FROM platform.events e JOIN platform.tenants t ON t.id = e.tenant_id \
        WHERE t.slug = $1 AND t.status <> 'purged' AND e.id < coalesce($2::bigint, 9223372036854775807) \
        ORDER BY e.id DESC LIMIT $3";
    EVENTS_OF_PLATFORM = "SELECT id, at, actor, action, detail::text AS detail \
        FROM platform.events WHERE tenant_id IS NULL \
        AND id < coalesce($1::bigint, 9223372036854775807) ORDER BY id DESC LIMIT $2";
}

/// Something that was done to a tenant, or to the platform.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Event {
    /// Rises with time.
    pub id: i64,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Who.
    pub actor: String,
    /// What, such as `tenant.suspended` or `token.created`.
    pub action: String,
    /// With what.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
}

/// A change, as it is recorded.
pub(crate) struct Change<'a> {
    pub(crate) actor: &'a str,
    pub(crate) action: &'static str,
    pub(crate) detail: Value,
    pub(crate) now: OffsetDateTime,
}

/// Records a change to a tenant within the transaction that makes it.
pub(super) async fn record(tx: &Tx, tenant: Uuid, change: &Change<'_>) -> Result<(), Error> {
    insert(tx, Some(tenant), change).await
}

/// Records a change to the platform itself within the transaction that makes it.
pub(super) async fn record_of_platform(tx: &Tx, change: &Change<'_>) -> Result<(), Error> {
    insert(tx, None, change).await
}

async fn insert(tx: &Tx, tenant: Option<Uuid>, change: &Change<'_>) -> Result<(), Error> {
    let Change {
        actor, action, now, ..
    } = change;
    let detail = change.detail.to_string();
    tx.execute(RECORD, &[now, &tenant, actor, action, &detail])
        .await?;
    Ok(())
}

impl Store {
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
        rows.iter().map(read).collect()
    }

    /// What was done to the platform itself, the latest first.
    pub(crate) async fn platform_events(
        &self,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Event>, Error> {
        let rows = self.query(EVENTS_OF_PLATFORM, &[&before, &limit]).await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<Event, Error> {
    let detail: String = row.try_get("detail")?;
    Ok(Event {
        id: row.try_get("id")?,
        at: row.try_get("at")?,
        actor: row.try_get("actor")?,
        action: row.try_get("action")?,
        detail: serde_json::from_str(&detail).map_err(DbError::unreadable)?,
    })
}
