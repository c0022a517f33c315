//! Sessions of a tenant's users. Only digests of their secrets are stored.

use service::Digest;
use tenancy::{Revocation, TenantDb, db::Transaction};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::tokens::read_user;
use crate::{caller::Principal, error::Error, ids::UserId, scope::Scopes};

/// A session's last use is written down once in this time.
const LAST_USE_PRECISION: Duration = Duration::minutes(1);

tenancy::statements! {
    // The row is changed, and with it locked, only under the version that was checked.
    BEGIN = "WITH holder AS (UPDATE users SET last_login_at = $3 \
             WHERE id = $2 AND is_active AND credentials_version = $5 RETURNING id) \
             INSERT INTO sessions (digest, user_id, created_at, expires_at, credentials_version, \
             id, auth_time, user_agent, address, last_used_at) \
             SELECT $1::bytea, holder.id, $3::timestamptz, $4::timestamptz, $5::int, $6::uuid, $3, \
             $7::text, $8::text, $3 FROM holder";
    FIND = "SELECT u.id AS user_id, u.username, u.email, u.role, u.created_at, \
                   u.credentials_version, s.id, s.created_at AS issued_at, s.expires_at, \
                   s.last_used_at \
            FROM sessions s JOIN users u ON u.id = s.user_id \
            WHERE s.digest = $1 AND s.expires_at > $2 AND u.is_active \
            AND u.credentials_version = s.credentials_version";
    USED = "UPDATE sessions SET last_used_at = $2 WHERE digest = $1";
    RENEW = "UPDATE sessions SET digest = $2, credentials_version = $4 \
             WHERE digest = $1 AND user_id = $3";
    END = "DELETE FROM sessions WHERE digest = $1 RETURNING id";
    END_OTHERS = "DELETE FROM sessions WHERE user_id = $1 AND credentials_version <> $2";
    SWEEP = "DELETE FROM sessions WHERE expires_at <= $1";
}

/// A session to begin.
pub(crate) struct NewSession<'a> {
    pub(crate) id: Uuid,
    pub(crate) digest: Digest,
    pub(crate) user: UserId,
    /// The version under which the user's password was checked.
    pub(crate) credentials_version: i32,
    pub(crate) now: OffsetDateTime,
    pub(crate) expires_at: OffsetDateTime,
    pub(crate) user_agent: Option<&'a str>,
    pub(crate) address: String,
}

/// Begins a session. `false`, and nothing stored, when the user's credentials have changed since
/// they were checked.
///
/// # Errors
/// Those of the database.
pub(crate) async fn begin(db: &TenantDb, new: &NewSession<'_>) -> Result<bool, Error> {
    let inserted = db
        .execute(
            BEGIN,
            &[
                &new.digest.as_bytes(),
                new.user.as_uuid(),
                &new.now,
                &new.expires_at,
                &new.credentials_version,
                &new.id,
                &new.user_agent,
                &new.address,
            ],
        )
        .await?;
    Ok(inserted == 1)
}

/// What a session stands for, while it lasts, its user is active and their credentials are those
/// it began under.
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
    let last_use: Option<OffsetDateTime> = row.try_get("last_used_at")?;
    if last_use.is_none_or(|at| now - at > LAST_USE_PRECISION)
        && let Err(cause) = db.execute(USED, &[&digest.as_bytes(), &now]).await
    {
        // The session is good all the same, on a database that only reads for example.
        tracing::debug!(%cause, "a session's last use was not written");
    }
    Ok(Some(Principal {
        user: Some(read_user(&row, row.try_get("user_id")?)?),
        client: None,
        granted: Scopes::default(),
        authorization: None,
        session: Some(row.try_get("id")?),
        issued_at: row.try_get("issued_at")?,
        expires_at: row.try_get("expires_at")?,
    }))
}

/// Lets a session go on under a new secret and a new version of its user's credentials.
///
/// # Errors
/// Those of the database.
pub(super) async fn renew(
    tx: &mut Transaction,
    user: UserId,
    old: &Digest,
    new: &Digest,
    credentials_version: i32,
) -> Result<(), Error> {
    let (old, new) = (old.as_bytes(), new.as_bytes());
    tx.execute(RENEW, &[&old, &new, user.as_uuid(), &credentials_version])
        .await?;
    Ok(())
}

/// Ends the sessions of a user that were begun under another version of their credentials.
///
/// # Errors
/// Those of the database.
pub(super) async fn end_outdated(
    tx: &mut Transaction,
    user: UserId,
    credentials_version: i32,
) -> Result<(), Error> {
    tx.execute(END_OTHERS, &[user.as_uuid(), &credentials_version])
        .await?;
    Ok(())
}

/// Ends a session.
///
/// # Errors
/// Those of the database.
pub(crate) async fn end(db: &TenantDb, digest: &Digest) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    let outcome = async {
        if let Some(row) = tx.query_opt(END, &[&digest.as_bytes()]).await? {
            tx.publish(Revocation::Session(row.try_get(0)?)).await?;
        }
        Ok(())
    }
    .await;
    tx.end(outcome).await
}

/// Removes sessions that are over.
///
/// # Errors
/// Those of the database.
pub(crate) async fn sweep(db: &TenantDb, now: OffsetDateTime) -> Result<u64, Error> {
    Ok(db.execute(SWEEP, &[&now]).await?)
}
