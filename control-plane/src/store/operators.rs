//! Operators' tokens. Only digests are kept.

use service::Digest;
use time::OffsetDateTime;

use super::Store;
use crate::error::Error;

tenancy::statements! {
    ADD = "INSERT INTO platform.operator_tokens (digest, name, scopes, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5)";
    FIND = "SELECT name, scopes FROM platform.operator_tokens \
        WHERE digest = $1 AND (expires_at IS NULL OR expires_at > $2)";
}

/// An operator's token to be kept.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Whose it is, for the record.
    pub name: String,
    /// When it stops to count; `None`: never.
    pub expires_at: Option<OffsetDateTime>,
}

/// An operator, by a token.
pub(crate) struct Operator {
    pub(crate) name: String,
    pub(crate) scopes: Vec<String>,
}

impl Store {
    /// Keeps a token of scope `platform`.
    pub(crate) async fn add_operator_token(
        &self,
        digest: &Digest,
        new: &NewToken,
        now: OffsetDateTime,
    ) -> Result<(), Error> {
        let scopes = ["platform"].as_slice();
        let digest = digest.as_bytes();
        self.execute(ADD, &[&digest, &new.name, &scopes, &now, &new.expires_at])
            .await?;
        Ok(())
    }

    /// The operator of a token that counts.
    pub(crate) async fn operator(
        &self,
        digest: &Digest,
        now: OffsetDateTime,
    ) -> Result<Option<Operator>, Error> {
        let rows = self.query(FIND, &[&digest.as_bytes(), &now]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        Ok(Some(Operator {
            name: row.try_get(0)?,
            scopes: row.try_get(1)?,
        }))
    }
}
