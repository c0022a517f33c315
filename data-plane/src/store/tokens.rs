//! Tokens of a tenant. Only digests are kept; a digest found is a token found.

use service::Digest;
use tenancy::TenantDb;
use time::OffsetDateTime;
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use super::{payload, users};
use crate::{
    caller::{Principal, Revoked, User},
    error::Error,
    ids::UserId,
    scope::Scopes,
};

macro_rules! find {
    ($where:literal) => {
        concat!(
            "SELECT k.client_id, k.family, k.scope, k.issued_at, k.expires_at, ",
            "k.used_at IS NOT NULL AS used, k.user_id, ",
            "u.username, u.email, u.role, u.created_at ",
            "FROM tokens k LEFT JOIN users u ON u.id = k.user_id ",
            "WHERE k.digest = $1 AND k.expires_at > $2 AND k.revoked_at IS NULL ",
            "AND (k.user_id IS NULL OR u.is_active) AND ",
            $where
        )
    };
}

tenancy::statements! {
    ACCESS = find!("k.kind = 'access'");
    REFRESH = find!("k.kind = 'refresh'");
    ACCESS_ALONE = "INSERT INTO tokens \
        (digest, kind, family, client_id, user_id, scope, issued_at, expires_at) \
        VALUES ($1, 'access', $2, $3, $4, $5, $6, $7)";
    WITH_REFRESH = "INSERT INTO tokens \
        (digest, kind, family, client_id, user_id, scope, issued_at, expires_at) \
        VALUES ($1, 'access', $2, $3, $4, $5, $6, $7), ($8, 'refresh', $2, $3, $4, $9, $6, $10)";
    ROTATE = "WITH used AS (UPDATE tokens SET used_at = $6 \
        WHERE digest = $11 AND used_at IS NULL AND revoked_at IS NULL RETURNING 1) \
        INSERT INTO tokens \
        (digest, kind, family, client_id, user_id, scope, issued_at, expires_at) \
        SELECT new.* FROM used, (VALUES \
        ($1::bytea, 'access', $2::uuid, $3::text, $4::uuid, $5::text[], $6::timestamptz, \
        $7::timestamptz), ($8, 'refresh', $2, $3, $4, $9, $6, $10)) AS new";
    REVOKE = "WITH gone AS (UPDATE tokens SET revoked_at = $2 \
              WHERE digest = $1 AND client_id = $3 AND revoked_at IS NULL RETURNING 1) \
              SELECT pg_notify('tenantry_revoked', $4) FROM gone";
    REVOKE_FAMILY = "WITH gone AS (UPDATE tokens SET revoked_at = $2 \
                     WHERE family = $1 AND revoked_at IS NULL RETURNING 1) \
                     SELECT pg_notify('tenantry_revoked', $3) FROM gone LIMIT 1";
    SWEEP = "DELETE FROM tokens WHERE digest IN \
             (SELECT digest FROM tokens WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000)";
}

type Param<'a> = &'a (dyn ToSql + Sync);

/// A token to be kept.
pub(crate) struct StoredToken {
    pub(crate) digest: Digest,
    pub(crate) expires_at: OffsetDateTime,
    pub(crate) scope: Scopes,
}

/// What is issued together.
pub(crate) struct Issue<'a> {
    pub(crate) family: Uuid,
    pub(crate) client: &'a str,
    pub(crate) user: Option<UserId>,
    pub(crate) access: StoredToken,
    pub(crate) now: OffsetDateTime,
}

/// A refresh token that was found.
pub(crate) struct Refresh {
    pub(crate) known: Principal,
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

/// A refresh token, used or not, while it has not expired.
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
        known: read(&row)?,
        used,
    }))
}

/// Keeps what is issued.
///
/// # Errors
/// Those of the database; a foreign key violation when client or user went meanwhile.
pub(crate) async fn issue(
    db: &TenantDb,
    issue: &Issue<'_>,
    refresh: Option<&StoredToken>,
) -> Result<(), Error> {
    let Issue {
        family,
        client,
        user,
        access,
        now,
    } = issue;
    let (digest, user) = (access.digest.as_bytes(), user.as_ref().map(UserId::as_uuid));
    let scope = access.scope.as_slice();
    let alone: [Param<'_>; 7] = [
        &digest,
        family,
        client,
        &user,
        &scope,
        now,
        &access.expires_at,
    ];
    let Some(refresh) = refresh else {
        db.execute(ACCESS_ALONE, &alone).await?;
        return Ok(());
    };
    let (digest, scope) = (refresh.digest.as_bytes(), refresh.scope.as_slice());
    let also: [Param<'_>; 3] = [&digest, &scope, &refresh.expires_at];
    db.execute(WITH_REFRESH, &[&alone[..], &also].concat())
        .await?;
    Ok(())
}

/// Uses up a refresh token and keeps what is issued in its place. `false` when somebody was
/// faster, or it does not count any longer; nothing is kept then.
///
/// # Errors
/// Those of the database.
pub(crate) async fn rotate(
    db: &TenantDb,
    used: &Digest,
    issue: &Issue<'_>,
    refresh: &StoredToken,
) -> Result<bool, Error> {
    let Issue {
        family,
        client,
        user,
        access,
        now,
    } = issue;
    let (digest, user) = (access.digest.as_bytes(), user.as_ref().map(UserId::as_uuid));
    let (next, used) = (refresh.digest.as_bytes(), used.as_bytes());
    let (scope, kept_scope) = (access.scope.as_slice(), refresh.scope.as_slice());
    let issued = db
        .execute(
            ROTATE,
            &[
                &digest,
                family,
                client,
                &user,
                &scope,
                now,
                &access.expires_at,
                &next,
                &kept_scope,
                &refresh.expires_at,
                &used,
            ],
        )
        .await?;
    Ok(issued > 0)
}

/// Revokes one token of a client, everywhere.
///
/// # Errors
/// Those of the database.
pub(crate) async fn revoke(
    db: &TenantDb,
    digest: &Digest,
    client: &str,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let told = payload(db, &Revoked::Secret(*digest));
    db.query(REVOKE, &[&digest.as_bytes(), &now, &client, &told])
        .await?;
    Ok(())
}

/// Revokes all that one authorization gave rise to, everywhere.
///
/// # Errors
/// Those of the database.
pub(crate) async fn revoke_family(
    db: &TenantDb,
    family: Uuid,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let told = payload(db, &Revoked::Family(family));
    db.query(REVOKE_FAMILY, &[&family, &now, &told]).await?;
    Ok(())
}

/// Removes some of the tokens that have expired.
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
        family: Some(row.try_get("family")?),
        issued_at: row.try_get("issued_at")?,
        expires_at: row.try_get("expires_at")?,
    })
}

fn read_user(row: &Row, id: Uuid) -> Result<User, Error> {
    Ok(User {
        id: UserId::new(id),
        username: row.try_get("username")?,
        email: row.try_get("email")?,
        role: users::role(row)?,
        created_at: row.try_get("created_at")?,
    })
}
