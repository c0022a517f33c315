//! Logins that are opened for a while. See `global-migrations/` for what each may.

use serde::Serialize;
use serde_json::json;
use tenancy::{SchemaName, Slug, db::Error as DbError};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio_postgres::Row;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Store,
    changes::lock,
    events::{self, Change},
    tx::Tx,
};
use crate::error::Error;

tenancy::statements! {
    OPEN = "SELECT platform.open_inspection($1, $2, $3, $4, $5, $6, $7)";
    GRANT = "SELECT platform.grant_inspection($1, $2, $3)";
    FOLLOW = "SELECT platform.follow_inspections($1, $2)";
    BAR = "SELECT platform.bar_inspection($1)";
    END_SESSIONS = "SELECT platform.end_inspection_sessions($1, NULL)";
    END_LONG = "SELECT platform.end_inspection_sessions(NULL, interval '5 minutes')";
    REVOKE = "SELECT platform.revoke_inspection($1, $2)";
    CLOSE = "SELECT platform.close_inspection($1)";
    OPENED = "SELECT i.login, i.writes, i.opened_by, i.opened_at, i.expires_at \
        FROM platform.inspections i JOIN platform.tenants t ON t.id = i.tenant_id \
        WHERE t.slug = $1 AND t.status <> 'purged' ORDER BY i.opened_at, i.login";
    OVER = "SELECT login FROM platform.inspections i JOIN platform.tenants t ON t.id = i.tenant_id \
        WHERE i.expires_at <= $1 OR t.status = 'purged' ORDER BY i.expires_at LIMIT 100";
    LOCK = "SELECT t.id, t.schema_name, t.status <> 'purged' AS is_there \
        FROM platform.inspections i JOIN platform.tenants t ON t.id = i.tenant_id \
        WHERE i.login = $1 FOR UPDATE OF t";
    IS_OPEN = "SELECT FROM platform.inspections WHERE login = $1";
}

/// A login that is open for a while.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Inspection {
    /// The name to log in with.
    pub login: String,
    /// `read-only` or `read-write`.
    pub mode: &'static str,
    /// Who opened it.
    pub opened_by: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub opened_at: OffsetDateTime,
    /// When it ends.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// A login to be opened.
pub(crate) struct NewLogin<'a> {
    /// What PostgreSQL keeps of the password.
    pub(crate) verifier: &'a str,
    pub(crate) writes: bool,
    pub(crate) expires_at: OffsetDateTime,
}

/// A login that was opened.
pub(crate) struct OpenedLogin {
    pub(crate) login: String,
    pub(crate) schema: String,
}

/// What a login may do, in a word.
pub(crate) fn mode(writes: bool) -> &'static str {
    if writes { "read-write" } else { "read-only" }
}

impl Store {
    /// Opens a login for a tenant's schema, and records who did.
    ///
    /// # Errors
    /// `NoTenant`.
    pub(crate) async fn open_inspection(
        &self,
        slug: &Slug,
        new: &NewLogin<'_>,
        change: Change<'_>,
    ) -> Result<OpenedLogin, Error> {
        let tx = self.begin().await?;
        tx.begin().await?;
        let outcome = open(&tx, slug, new, change).await;
        tx.end(outcome).await
    }

    /// The logins that are open for a tenant's schema.
    pub(crate) async fn inspections(&self, slug: &Slug) -> Result<Vec<Inspection>, Error> {
        let rows = self.query(OPENED, &[&slug.as_str()]).await?;
        let read = |row: &Row| {
            Ok(Inspection {
                login: row.try_get(0)?,
                mode: mode(row.try_get(1)?),
                opened_by: row.try_get(2)?,
                opened_at: row.try_get(3)?,
                expires_at: row.try_get(4)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Logins whose time is over, or whose tenant is gone.
    pub(crate) async fn inspections_over(&self, now: OffsetDateTime) -> Result<Vec<String>, Error> {
        let rows = self.query(OVER, &[&now]).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// Ends a login's sessions and drops it, and records who did. Does nothing when it is gone.
    ///
    /// Each step counts for itself: whatever a later one meets, the login is of no use any more.
    pub(crate) async fn close_inspection(
        &self,
        login: &str,
        change: Change<'_>,
    ) -> Result<(), Error> {
        self.query(BAR, &[&login]).await?;
        self.query(END_SESSIONS, &[&login]).await?;
        let tx = self.begin().await?;
        tx.begin().await?;
        let outcome = revoke(&tx, login).await;
        tx.end(outcome).await?;
        let tx = self.begin().await?;
        tx.begin().await?;
        let outcome = drop_login(&tx, login, change).await;
        tx.end(outcome).await
    }

    /// Ends sessions whose transaction has been open for minutes, under any of the logins.
    pub(crate) async fn end_long_inspections(&self) -> Result<i64, Error> {
        let rows = self.query(END_LONG, &[]).await?;
        Ok(rows.first().map_or(Ok(0), |row| row.try_get(0))?)
    }
}

async fn open(
    tx: &Tx,
    slug: &Slug,
    new: &NewLogin<'_>,
    change: Change<'_>,
) -> Result<OpenedLogin, Error> {
    let tenant = lock(tx, slug).await?;
    let (schema, writes) = (tenant.schema, new.writes);
    let rows = tx
        .query(
            OPEN,
            &[
                &tenant.id,
                &schema,
                &new.verifier,
                &writes,
                &change.actor,
                &change.now,
                &new.expires_at,
            ],
        )
        .await?;
    let row = rows
        .first()
        .ok_or_else(|| DbError::unreadable("no login"))?;
    let login: String = row.try_get(0)?;
    tx.query(GRANT, &[&login, &schema, &writes]).await?;
    let until = new.expires_at.format(&Rfc3339).unwrap_or_default();
    let detail = json!({ "login": login, "mode": mode(writes), "expires_at": until });
    events::record(tx, tenant.id, &Change { detail, ..change }).await?;
    Ok(OpenedLogin { login, schema })
}

/// Leads the logins of a tenant to its schema's new name.
pub(super) async fn follow(tx: &Tx, tenant: Uuid, schema: &SchemaName) -> Result<(), Error> {
    tx.query(FOLLOW, &[&tenant, &schema.as_str()]).await?;
    Ok(())
}

/// Takes back what a login was granted in its tenant's schema, and says whose login it is.
async fn revoke(tx: &Tx, login: &str) -> Result<Option<Uuid>, Error> {
    let rows = tx.query(LOCK, &[&login]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    // Whoever had the tenant's row before us may have closed it.
    if tx.query(IS_OPEN, &[&login]).await?.is_empty() {
        return Ok(None);
    }
    if row.try_get("is_there")? {
        let schema: String = row.try_get("schema_name")?;
        tx.query(REVOKE, &[&login, &schema]).await?;
    }
    Ok(Some(row.try_get("id")?))
}

/// Revokes once more, for the schema may have become another name's since.
async fn drop_login(tx: &Tx, login: &str, change: Change<'_>) -> Result<(), Error> {
    let Some(tenant) = revoke(tx, login).await? else {
        return Ok(());
    };
    let closed = tx.query(CLOSE, &[&login]).await?;
    if closed.first().map_or(Ok(false), |row| row.try_get(0))? {
        let detail = json!({ "login": login });
        events::record(tx, tenant, &Change { detail, ..change }).await?;
    }
    Ok(())
}
