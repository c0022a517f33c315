//! Operators' tokens: made, listed, revoked. A secret is shown once and kept as a digest.

use secrecy::SecretString;
use serde_json::json;
use service::{Faults, Kind, Minted, Problem, body::Text};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::{
    actor::Actor,
    app::ControlPlane,
    error::Error,
    signup::application,
    store::operators::{NewRow, TokenRecord},
};

/// The most days that a token may be made for; longer is for ever, and said so.
pub const MAX_DAYS: u16 = 3650;

/// When a token ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// After so many days, 1 to [`MAX_DAYS`].
    Days(u16),
    /// Not before it is revoked.
    Never,
}

impl Default for Lifetime {
    fn default() -> Self {
        Self::Days(90)
    }
}

impl Lifetime {
    fn from(self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        match self {
            Self::Days(days) => Some(now + Duration::days(days.into())),
            Self::Never => None,
        }
    }
}

/// An operator's token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Whose it is, for the record: 1 to 100 characters.
    pub name: String,
    /// When it ends.
    pub lifetime: Lifetime,
}

impl ControlPlane {
    /// Makes an operator's token of scope `platform`; the secret is to be had this once.
    ///
    /// # Errors
    /// 422 for a name or lifetime that cannot be; 401 when the token that asks has been revoked
    /// meanwhile.
    pub async fn create_token(
        &self,
        new: NewToken,
        actor: &Actor<'_>,
    ) -> Result<(SecretString, TokenRecord), Error> {
        let mut faults = Faults::new();
        if let Lifetime::Days(days) = new.lifetime
            && !(1..=MAX_DAYS).contains(&days)
        {
            faults.add("days", format!("must be 1 to {MAX_DAYS}"));
        }
        let name = application::name(Text::Given(new.name), "name", &mut faults);
        let Some(name) = name.filter(|_| faults.is_empty()) else {
            return Err(faults.into());
        };
        let minted = Minted::new(self.entropy(), "tnt_op_");
        let row = NewRow {
            id: self.entropy().id(self.clock()),
            digest: minted.digest,
            name,
            expires_at: new.lifetime.from(self.now()),
            creator: actor.token(),
        };
        let detail = json!({
            "token": row.id, "name": row.name, "expires_at": row.expires_at.map(rfc3339),
            "by_token": row.creator,
        });
        let change = self.audit_entry(actor.name(), "token.created", detail);
        let made = self.store().add_operator_token(row, &change).await?;
        let made = made.ok_or_else(|| Problem::new(Kind::Unauthorized))?;
        Ok((minted.secret, made))
    }

    /// Operators' tokens, the latest first, after one of them; those that ended are among them.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn tokens(&self, after: Option<Uuid>, limit: i64) -> Result<Vec<TokenRecord>, Error> {
        self.store().operator_tokens(after, limit).await
    }

    /// Revokes an operator's token; the next request with it is refused. One that is revoked
    /// already stays so.
    ///
    /// # Errors
    /// `NoToken`.
    pub async fn revoke_token(&self, id: Uuid, actor: &str) -> Result<TokenRecord, Error> {
        let change = self.audit_entry(actor, "token.revoked", json!({ "token": id }));
        self.store().revoke_operator_token(id, &change).await
    }
}

fn rfc3339(at: OffsetDateTime) -> Option<String> {
    at.format(&time::format_description::well_known::Rfc3339)
        .ok()
}
