//! Authorizations: what a client was allowed once, with the tokens issued under it.
//!
//! Whoever issues locks the client, the user and the authorization, in this order, in the statement
//! that inserts; whoever ends a right changes one of these rows. So each comes wholly before or
//! wholly after the other, and a token outlives neither.

use service::Digest;
use tenancy::{Revocation, TenantDb};
use time::OffsetDateTime;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::{error::Error, ids::UserId, scope::Scopes};

/// The tokens of an authorization, of which the second may be absent.
macro_rules! insert_tokens {
    ($from:literal) => {
        concat!(
            "INSERT INTO tokens (digest, kind, family, authorization_id, client_id, user_id, ",
            "scope, issued_at, expires_at) ",
            "SELECT new.digest, new.kind, $1, $1, $2, $3, new.scope, $4, new.expires_at FROM ",
            $from,
            ", (VALUES ($5::bytea, 'access', $6::text[], $7::timestamptz), ",
            "($8::bytea, 'refresh', $9::text[], $10::timestamptz)) ",
            "AS new(digest, kind, scope, expires_at) WHERE new.digest IS NOT NULL"
        )
    };
}

tenancy::statements! {
    // For a client that acts for itself: no user's row has to be looked at.
    ISSUE_TO_CLIENT = "WITH granted AS (INSERT INTO authorizations \
            (id, client_id, scope, created_at, expires_at) VALUES ($1, $2, $6, $3, $5) \
            RETURNING id, client_id) \
        INSERT INTO tokens (digest, kind, family, authorization_id, client_id, scope, issued_at, \
            expires_at) \
        SELECT $4::bytea, 'access', id, id, client_id, $6, $3, $5 FROM granted";
    ISSUE = concat!(
        "WITH subject AS (SELECT credentials_version FROM users ",
            "WHERE id = $3::uuid AND is_active AND credentials_version = $11::int FOR SHARE), ",
        "granted AS (INSERT INTO authorizations (id, client_id, user_id, credentials_version, ",
            "scope, auth_time, amr, created_at, expires_at) ",
            "SELECT $1::uuid, $2::text, $3, subject.credentials_version, $12::text[], ",
            "$13::timestamptz, $14::text[], $4::timestamptz, greatest($7::timestamptz, $10::timestamptz) FROM subject ",
            "RETURNING id) ",
        insert_tokens!("granted")
    );
    ROTATE = concat!(
        "WITH client AS (SELECT FROM clients WHERE id = $2::text FOR KEY SHARE), ",
        "holder AS (SELECT u.id, u.credentials_version FROM users u, client ",
            "WHERE u.id = $3::uuid AND u.is_active FOR SHARE OF u), ",
        "granted AS (UPDATE authorizations a SET expires_at = greatest($7::timestamptz, $10::timestamptz) FROM holder ",
            "WHERE a.id = $1::uuid AND a.revoked_at IS NULL AND a.user_id = holder.id ",
            "AND a.credentials_version = holder.credentials_version RETURNING a.id), ",
        "used AS (UPDATE tokens k SET used_at = $4::timestamptz FROM granted ",
            "WHERE k.digest = $11::bytea AND k.authorization_id = granted.id AND k.used_at IS NULL ",
            "AND k.revoked_at IS NULL RETURNING 1) ",
        insert_tokens!("used")
    );
    REVOKE = "UPDATE authorizations SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    OF_REFRESH_TOKEN = "SELECT authorization_id FROM tokens \
        WHERE digest = $1 AND kind = 'refresh' AND client_id = $2 AND authorization_id IS NOT NULL";
    REVOKE_ACCESS_TOKEN = "UPDATE tokens SET revoked_at = $2 \
        WHERE digest = $1 AND kind = 'access' AND client_id = $3 AND revoked_at IS NULL";
}

/// A token to be stored: its digest alone.
pub(crate) struct StoredToken {
    pub(crate) digest: Digest,
    pub(crate) expires_at: OffsetDateTime,
    pub(crate) scope: Scopes,
}

/// On whose behalf tokens are issued: a user under a version of their credentials.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holder {
    pub(crate) user: UserId,
    pub(crate) credentials_version: i32,
    /// When the user proved who they are.
    pub(crate) auth_time: OffsetDateTime,
}

/// The tokens that are issued together, and under which authorization.
pub(crate) struct Issue<'a> {
    pub(crate) authorization: Uuid,
    pub(crate) client: &'a str,
    pub(crate) access: StoredToken,
    pub(crate) refresh: Option<StoredToken>,
    pub(crate) now: OffsetDateTime,
}

impl Issue<'_> {
    /// Stores an access token of a client that acts for itself.
    async fn to_client(&self, db: &TenantDb) -> Result<bool, Error> {
        let (digest, scope) = (self.access.digest.as_bytes(), self.access.scope.as_slice());
        let params: tenancy::db::Params<'_> = &[
            &self.authorization,
            &self.client,
            &self.now,
            &digest,
            &self.access.expires_at,
            &scope,
        ];
        Ok(db.execute(ISSUE_TO_CLIENT, params).await? > 0)
    }

    /// Runs a statement that ends in `insert_tokens!`, whose first ten parameters are these.
    async fn insert(
        &self,
        db: &TenantDb,
        sql: tenancy::Sql,
        user: UserId,
        further: &[&(dyn ToSql + Sync)],
    ) -> Result<bool, Error> {
        let (access, refresh) = (&self.access, self.refresh.as_ref());
        let access_digest = access.digest.as_bytes();
        let refresh_digest = refresh.map(|token| token.digest.as_bytes());
        let access_scope = access.scope.as_slice();
        let refresh_scope = refresh.map(|token| token.scope.as_slice());
        let refresh_expires = refresh.map(|token| token.expires_at);
        let tokens: [&(dyn ToSql + Sync); 10] = [
            &self.authorization,
            &self.client,
            user.as_uuid(),
            &self.now,
            &access_digest,
            &access_scope,
            &access.expires_at,
            &refresh_digest,
            &refresh_scope,
            &refresh_expires,
        ];
        let inserted = db.execute(sql, &[&tokens[..], further].concat()).await?;
        Ok(inserted > 0)
    }
}

/// Stores a new authorization with its first tokens. `false`, and nothing stored, when the holder's
/// credentials have changed since they were checked.
///
/// # Errors
/// Those of the database; a foreign key violation when the client was removed meanwhile.
pub(crate) async fn issue(
    db: &TenantDb,
    issue: &Issue<'_>,
    holder: Option<Holder>,
) -> Result<bool, Error> {
    let Some(holder) = holder else {
        return issue.to_client(db).await;
    };
    let granted = issue.refresh.as_ref().unwrap_or(&issue.access);
    let scope = granted.scope.as_slice();
    let Holder {
        user,
        credentials_version,
        auth_time,
    } = holder;
    let amr: &[&str] = &["pwd"];
    issue
        .insert(
            db,
            ISSUE,
            user,
            &[&credentials_version, &scope, &auth_time, &amr],
        )
        .await
}

/// Uses up a refresh token and stores what is issued in its place. `false`, and nothing stored, when
/// the token was used already or its authorization does not count any longer.
///
/// # Errors
/// Those of the database.
pub(crate) async fn rotate(
    db: &TenantDb,
    used: &Digest,
    issue: &Issue<'_>,
    user: UserId,
) -> Result<bool, Error> {
    issue.insert(db, ROTATE, user, &[&used.as_bytes()]).await
}

/// Revokes an authorization, with every token issued under it.
///
/// # Errors
/// Those of the database.
pub(crate) async fn revoke(db: &TenantDb, id: Uuid, now: OffsetDateTime) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    let outcome = async {
        tx.execute(REVOKE, &[&id, &now]).await?;
        tx.publish(Revocation::Authorization(id)).await
    }
    .await;
    Ok(tx.end(outcome).await?)
}

/// Revokes a token of a client (RFC 7009 section 2.1): an access token alone, a refresh token with
/// its authorization. Does nothing for a token that is unknown or another client's.
///
/// # Errors
/// Those of the database.
pub(crate) async fn revoke_token(
    db: &TenantDb,
    digest: &Digest,
    client: &str,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let found = db
        .query_opt(OF_REFRESH_TOKEN, &[&digest.as_bytes(), &client])
        .await?;
    if let Some(row) = found {
        return revoke(db, row.try_get(0)?, now).await;
    }
    let mut tx = db.begin().await?;
    let outcome = async {
        let params: tenancy::db::Params<'_> = &[&digest.as_bytes(), &now, &client];
        if tx.execute(REVOKE_ACCESS_TOKEN, params).await? > 0 {
            tx.publish(Revocation::Token(digest.to_bytes())).await?;
        }
        Ok(())
    }
    .await;
    tx.end(outcome).await
}
