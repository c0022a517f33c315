//! Operators' tokens. Only digests are kept.

use serde::Serialize;
use service::Digest;
use time::{Duration, OffsetDateTime};
use tokio_postgres::Row;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Store,
    events::{self, Change},
};
use crate::error::Error;

macro_rules! columns {
    () => {
        "id, name, scopes, created_at, created_by, expires_at, last_used_at, revoked_at"
    };
}

tenancy::statements! {
    // A token that is revoked at the same moment makes no other: either waits for what becomes of
    // it, or is seen by whoever revokes it.
    ADD = concat!(
        "WITH creator AS (SELECT 1 FROM platform.operator_tokens WHERE id = $8::uuid ",
        "AND revoked_at IS NULL FOR SHARE) ",
        "INSERT INTO platform.operator_tokens ",
        "(id, digest, name, scopes, created_at, expires_at, created_by) ",
        "SELECT $1::uuid, $2::bytea, $3::text, $4::text[], $5::timestamptz, $6::timestamptz, ",
        "$7::text WHERE $8::uuid IS NULL OR EXISTS (SELECT FROM creator) RETURNING ",
        columns!()
    );
    FIND = "SELECT id, name, scopes, last_used_at FROM platform.operator_tokens \
        WHERE digest = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)";
    USED = "UPDATE platform.operator_tokens SET last_used_at = $2 \
        WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)";
    LIST = concat!(
        "SELECT ", columns!(), " FROM platform.operator_tokens ",
        "WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2"
    );
    // The services of a version that knows no revocation see that it has ended.
    REVOKE = concat!(
        "UPDATE platform.operator_tokens SET revoked_at = $2, expires_at = least(expires_at, $2) ",
        "WHERE id = $1 AND revoked_at IS NULL RETURNING ", columns!()
    );
    ONE = concat!("SELECT ", columns!(), " FROM platform.operator_tokens WHERE id = $1");
}

/// How exactly the last use of a token is kept: a write for each request would cost more than the
/// request.
const USE_IS_KEPT_TO: Duration = Duration::minutes(1);

/// An operator's token to be kept.
pub(crate) struct NewRow {
    pub(crate) id: Uuid,
    pub(crate) digest: Digest,
    pub(crate) name: String,
    pub(crate) expires_at: Option<OffsetDateTime>,
    /// The token by which it is made, if by one.
    pub(crate) creator: Option<Uuid>,
}

/// An operator's token, as it is listed: without anything that opens something.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TokenRecord {
    /// To revoke it by.
    #[schema(value_type = String)]
    pub id: Uuid,
    /// Whose it is.
    pub name: String,
    /// What it opens.
    pub scopes: Vec<String>,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Who made it; `null` for one that is older than the record.
    pub created_by: Option<String>,
    /// When it ends; `null`: never.
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
    /// When it was last used, to a minute.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_used_at: Option<OffsetDateTime>,
    /// When it was revoked.
    #[serde(with = "time::serde::rfc3339::option")]
    pub revoked_at: Option<OffsetDateTime>,
}

/// An operator, by a token.
pub(crate) struct Operator {
    pub(crate) token: Uuid,
    pub(crate) name: String,
    pub(crate) scopes: Vec<String>,
}

impl Store {
    /// Keeps a token of scope `platform`, and records it; `None` when the token by which it would
    /// be made has been revoked.
    pub(crate) async fn add_operator_token(
        &self,
        new: NewRow,
        change: &Change<'_>,
    ) -> Result<Option<TokenRecord>, Error> {
        let tx = self.begin().await?;
        tx.begin().await?;
        let outcome = async {
            let scopes = ["platform"].as_slice();
            let (digest, now) = (new.digest.as_bytes(), change.now);
            let (id, creator, by) = (new.id, new.creator, change.actor);
            let rows = tx
                .query(
                    ADD,
                    &[
                        &id,
                        &digest,
                        &new.name,
                        &scopes,
                        &now,
                        &new.expires_at,
                        &by,
                        &creator,
                    ],
                )
                .await?;
            let made = rows.first().map(read).transpose()?;
            if made.is_some() {
                events::record_of_platform(&tx, change).await?;
            }
            Ok(made)
        }
        .await;
        tx.end(outcome).await
    }

    /// The operator of a token that is good now, whose use is noted.
    pub(crate) async fn operator(
        &self,
        digest: &Digest,
        now: OffsetDateTime,
    ) -> Result<Option<Operator>, Error> {
        let rows = self.query(FIND, &[&digest.as_bytes(), &now]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let operator = Operator {
            token: row.try_get(0)?,
            name: row.try_get(1)?,
            scopes: row.try_get(2)?,
        };
        let last: Option<OffsetDateTime> = row.try_get(3)?;
        let before = now - USE_IS_KEPT_TO;
        if last.is_none_or(|last| last <= before) {
            // Only a note: without it the token is as good.
            if let Err(cause) = self.execute(USED, &[&operator.token, &now, &before]).await {
                tracing::warn!(%cause, "the use of an operator's token is not noted");
            }
        }
        Ok(Some(operator))
    }

    /// Tokens, the latest first.
    pub(crate) async fn operator_tokens(
        &self,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<TokenRecord>, Error> {
        let rows = self.query(LIST, &[&after, &limit]).await?;
        rows.iter().map(read).collect()
    }

    /// Revokes a token, and records it, unless that was done before.
    ///
    /// # Errors
    /// `NoToken`.
    pub(crate) async fn revoke_operator_token(
        &self,
        id: Uuid,
        change: &Change<'_>,
    ) -> Result<TokenRecord, Error> {
        let tx = self.begin().await?;
        tx.begin().await?;
        let outcome = async {
            if let Some(row) = tx.query(REVOKE, &[&id, &change.now]).await?.first() {
                events::record_of_platform(&tx, change).await?;
                return read(row);
            }
            let rows = tx.query(ONE, &[&id]).await?;
            let row = rows.first().ok_or_else(|| Error::NoToken(id.to_string()))?;
            read(row)
        }
        .await;
        tx.end(outcome).await
    }
}

fn read(row: &Row) -> Result<TokenRecord, Error> {
    Ok(TokenRecord {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        scopes: row.try_get("scopes")?,
        created_at: row.try_get("created_at")?,
        created_by: row.try_get("created_by")?,
        expires_at: row.try_get("expires_at")?,
        last_used_at: row.try_get("last_used_at")?,
        revoked_at: row.try_get("revoked_at")?,
    })
}
