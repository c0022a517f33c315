//! Tokens of a tenant, looked up. Only digests are stored; a digest found is a token found.

use service::Digest;
use tenancy::TenantDb;
use time::OffsetDateTime;
use tokio_postgres::Row;
use uuid::Uuid;

use super::users;
use crate::{
    caller::{Principal, User},
    error::Error,
    ids::UserId,
    scope::Scopes,
};

/// A token that has not expired, of an authorization that counts.
macro_rules! find {
    ($where:literal) => {
        concat!(
            "SELECT k.client_id, k.authorization_id, k.scope, k.issued_at, k.expires_at, ",
            "k.used_at IS NOT NULL AS used, k.user_id, ",
            "u.username, u.email, u.role, u.created_at, u.credentials_version ",
            "FROM tokens k JOIN authorizations a ON a.id = k.authorization_id ",
            "LEFT JOIN users u ON u.id = k.user_id ",
            "WHERE k.digest = $1 AND k.expires_at > $2 AND k.revoked_at IS NULL ",
            "AND a.revoked_at IS NULL AND (k.user_id IS NULL OR ",
            "(u.is_active AND u.credentials_version = a.credentials_version)) AND ",
            $where
        )
    };
}

tenancy::statements! {
    ACCESS = find!("k.kind = 'access'");
    REFRESH = find!("k.kind = 'refresh'");
    // An authorization goes with the last of its tokens: the condition on it is checked again when
    // a refresh has meanwhile moved its end.
    SWEEP = "WITH expired AS (DELETE FROM tokens WHERE digest IN \
             (SELECT digest FROM tokens WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000 \
             FOR UPDATE SKIP LOCKED) RETURNING authorization_id) \
             DELETE FROM authorizations a USING expired \
             WHERE a.id = expired.authorization_id AND a.expires_at <= $1";
}

/// A refresh token that was found.
pub(crate) struct Refresh {
    pub(crate) principal: Principal,
    /// It was used before: somebody has a copy.
    pub(crate) used: bool,
}

/// What an access token stands for, while it counts.
///
/// # Errors
/// Those of the database.
pub(crate) async fn access(
    db: &TenantDb,
    digest: &Digest,
    now: OffsetDateTime,
) -> Result<Option<Principal>, Error> {
    let row = db.query_opt(ACCESS, &[&digest.as_bytes(), &now]).await?;
    row.as_ref().map(read).transpose()
}

/// A refresh token, used or not, while it has not expired and its authorization counts.
///
/// # Errors
/// Those of the database.
pub(crate) async fn refresh(
    db: &TenantDb,
    digest: &Digest,
    now: OffsetDateTime,
) -> Result<Option<Refresh>, Error> {
    let Some(row) = db.query_opt(REFRESH, &[&digest.as_bytes(), &now]).await? else {
        return Ok(None);
    };
    let used = row.try_get("used")?;
    Ok(Some(Refresh {
        principal: read(&row)?,
        used,
    }))
}

/// Removes some of the tokens that have expired, and authorizations of which nothing is left.
///
/// # Errors
/// Those of the database.
pub(crate) async fn sweep(db: &TenantDb, now: OffsetDateTime) -> Result<u64, Error> {
    Ok(db.execute(SWEEP, &[&now]).await?)
}

fn read(row: &Row) -> Result<Principal, Error> {
    let scope: Vec<String> = row.try_get("scope")?;
    let user: Option<Uuid> = row.try_get("user_id")?;
    Ok(Principal {
        user: user.map(|id| read_user(row, id)).transpose()?,
        client: Some(row.try_get("client_id")?),
        granted: Scopes::stored(&scope),
        authorization: Some(row.try_get("authorization_id")?),
        session: None,
        issued_at: row.try_get("issued_at")?,
        expires_at: row.try_get("expires_at")?,
    })
}

pub(super) fn read_user(row: &Row, id: Uuid) -> Result<User, Error> {
    Ok(User {
        id: UserId::new(id),
        username: row.try_get("username")?,
        email: row.try_get("email")?,
        role: users::role(row)?,
        created_at: row.try_get("created_at")?,
        credentials_version: row.try_get("credentials_version")?,
    })
}
