//! How much of a tenant is used.

use tenancy::TenantDb;
use time::OffsetDateTime;

use crate::error::Error;

tenancy::statements! {
    // Its tables by what depends on its schema: pg_class has no index of schemas.
    COUNT = "SELECT (SELECT count(*) FROM users) AS total_users, \
             (SELECT count(*) FROM users WHERE is_active) AS active_users, \
             (SELECT count(*) FROM clients) AS total_clients, \
             (SELECT count(*) FROM tokens k JOIN authorizations a ON a.id = k.authorization_id \
              LEFT JOIN users u ON u.id = k.user_id \
              WHERE k.kind = 'access' AND k.expires_at > $1 AND k.revoked_at IS NULL \
              AND a.revoked_at IS NULL AND (k.user_id IS NULL OR (u.is_active \
              AND u.credentials_version = a.credentials_version))) AS active_tokens, \
             (SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id \
              WHERE s.expires_at > $1 AND u.is_active \
              AND u.credentials_version = s.credentials_version) AS active_sessions, \
             (SELECT used FROM usage WHERE resource = 'notes') AS total_notes, \
             (SELECT coalesce(sum(pg_catalog.pg_total_relation_size(c.oid)), 0)::bigint \
              FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class c ON c.oid = d.objid \
              WHERE d.refclassid = 'pg_catalog.pg_namespace'::regclass \
              AND d.refobjid = pg_catalog.current_schema()::regnamespace \
              AND d.classid = 'pg_catalog.pg_class'::regclass \
              AND c.relkind = 'r') AS storage_bytes";
}

/// What there is of everything that a plan limits, and more.
pub(crate) struct Counts {
    pub(crate) total_users: i64,
    pub(crate) active_users: i64,
    pub(crate) total_clients: i64,
    pub(crate) active_tokens: i64,
    pub(crate) active_sessions: i64,
    pub(crate) total_notes: i64,
    pub(crate) storage_bytes: i64,
}

/// Counts everything at one moment.
///
/// # Errors
/// Those of the database.
pub(crate) async fn count(db: &TenantDb, now: OffsetDateTime) -> Result<Counts, Error> {
    let row = db.query_one(COUNT, &[&now]).await?;
    Ok(Counts {
        total_users: row.try_get("total_users")?,
        active_users: row.try_get("active_users")?,
        total_clients: row.try_get("total_clients")?,
        active_tokens: row.try_get("active_tokens")?,
        active_sessions: row.try_get("active_sessions")?,
        total_notes: row.try_get("total_notes")?,
        storage_bytes: row.try_get("storage_bytes")?,
    })
}
