//! Who is signed in. Only digests are kept.

use service::Digest;
use tenancy::TenantDb;
use time::OffsetDateTime;

use super::{payload, users};
use crate::{
    caller::{Principal, Revoked, User},
    error::Error,
    ids::UserId,
    scope::Scopes,
};

tenancy::statements! {
    BEGIN = "WITH seen AS (UPDATE users SET last_login_at = $3 WHERE id = $2) \
             INSERT INTO sessions (digest, user_id, created_at, expires_at) \
             VALUES ($1, $2, $3, $4)";
    FIND = "SELECT u.id, u.username, u.email, u.role, u.created_at, \
                   s.created_at AS issued_at, s.expires_at \
            FROM sessions s JOIN users u ON u.id = s.user_id \
            WHERE s.digest = $1 AND s.expires_at > $2 AND u.is_active";
    END = "WITH gone AS (DELETE FROM sessions WHERE digest = $1 RETURNING 1) \
           SELECT pg_notify('tenantry_revoked', $2) FROM gone";
    SWEEP = "DELETE FROM sessions WHERE expires_at <= $1";
}

/// Begins a session.
///
/// # Errors
/// Those of the database.
pub(crate) async fn begin(
    db: &TenantDb,
    digest: &Digest,
    user: UserId,
    now: OffsetDateTime,
    expires_at: OffsetDateTime,
) -> Result<(), Error> {
    db.execute(
        BEGIN,
        &[&digest.as_bytes(), user.as_uuid(), &now, &expires_at],
    )
    .await?;
    Ok(())
}

/// What a session stands for, while it lasts and its user is active.
///
/// # Errors
/// Those of the database.
pub(crate) async fn find(
    db: &TenantDb,
    digest: &Digest,
    now: OffsetDateTime,
) -> Result<Option<Principal>, Error> {
    let row = db.query_opt(FIND, &[&digest.as_bytes(), &now]).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Principal {
        user: Some(User {
            id: UserId::new(row.try_get("id")?),
            username: row.try_get("username")?,
            email: row.try_get("email")?,
            role: users::role(&row)?,
            created_at: row.try_get("created_at")?,
        }),
        client: None,
        granted: Scopes::default(),
        family: None,
        issued_at: row.try_get("issued_at")?,
        expires_at: row.try_get("expires_at")?,
    }))
}

/// Ends a session, everywhere.
///
/// # Errors
/// Those of the database.
pub(crate) async fn end(db: &TenantDb, digest: &Digest) -> Result<(), Error> {
    let told = payload(db, &Revoked::Secret(*digest));
    db.query(END, &[&digest.as_bytes(), &told]).await?;
    Ok(())
}

/// Removes sessions that are over.
///
/// # Errors
/// Those of the database.
pub(crate) async fn sweep(db: &TenantDb, now: OffsetDateTime) -> Result<u64, Error> {
    Ok(db.execute(SWEEP, &[&now]).await?)
}
