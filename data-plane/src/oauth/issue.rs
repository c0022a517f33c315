//! Tokens are minted, kept as digests, and handed out once.
//!
//! They are opaque: what one stands for is in the tenant's schema, so that it can be revoked,
//! and so that no other tenant can make sense of it.

use secrecy::ExposeSecret;
use serde::Serialize;
use service::{Digest, Minted};
use time::Duration;
use utoipa::ToSchema;
use uuid::Uuid;

use super::grants::{Grant, TokenExchange};
use crate::{
    error::{Code, Error, OAuthError},
    ids::UserId,
    scope::Scopes,
    store::tokens::{self, Issue, StoredToken},
};

/// One token issued in this many sweeps away some that have expired.
const SWEEP_ONE_IN: u8 = 64;

/// For whom, and what they may.
pub(super) struct Subject {
    pub(super) user: Option<UserId>,
    pub(super) scope: Scopes,
}

/// A successful answer (RFC 6749 section 5.1).
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenResponse {
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds until the access token expires.
    expires_in: u32,
    /// Works once; the answer to it holds the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// The scopes granted, separated by spaces.
    #[schema(value_type = String)]
    scope: Scopes,
}

struct Pair {
    access: Minted,
    refresh: Minted,
}

impl Pair {
    fn mint(asking: &TokenExchange<'_>) -> Self {
        let entropy = &asking.app.entropy;
        Self {
            access: Minted::new(entropy, "tnt_at_"),
            refresh: Minted::new(entropy, "tnt_rt_"),
        }
    }

    fn response(self, asking: &TokenExchange<'_>, scope: Scopes, refresh: bool) -> TokenResponse {
        TokenResponse {
            access_token: self.access.secret.expose_secret().to_owned(),
            token_type: "Bearer",
            expires_in: asking.tenant.settings.token_policy.access_seconds,
            refresh_token: refresh.then(|| self.refresh.secret.expose_secret().to_owned()),
            scope,
        }
    }
}

/// An access token without a refresh token.
pub(super) async fn access_only(
    asking: &TokenExchange<'_>,
    grantee: Subject,
) -> Result<TokenResponse, OAuthError> {
    begin(asking, grantee, false).await
}

/// An access token, and a refresh token for a client that is registered for them.
pub(super) async fn with_refresh(
    asking: &TokenExchange<'_>,
    grantee: Subject,
) -> Result<TokenResponse, OAuthError> {
    begin(
        asking,
        grantee,
        asking.client.may_use(Grant::RefreshToken.as_str()),
    )
    .await
}

async fn begin(
    asking: &TokenExchange<'_>,
    grantee: Subject,
    refreshable: bool,
) -> Result<TokenResponse, OAuthError> {
    let pair = Pair::mint(asking);
    let family = asking.app.entropy.id(&asking.app.clock);
    let issue = issue(asking, family, &pair, &grantee);
    let refresh = refreshable.then(|| stored_refresh(asking, &pair, grantee.scope.clone()));
    tokens::issue(asking.db, &issue, refresh.as_ref())
        .await
        .map_err(subject_deleted)?;
    sweep(asking).await?;
    Ok(pair.response(asking, grantee.scope, refreshable))
}

/// New tokens for a refresh token, which is used up; `None` when somebody was faster.
pub(super) async fn rotate(
    asking: &TokenExchange<'_>,
    used: &Digest,
    family: Uuid,
    grantee: Subject,
    granted: Scopes,
) -> Result<Option<TokenResponse>, OAuthError> {
    let pair = Pair::mint(asking);
    let issue = issue(asking, family, &pair, &grantee);
    let refresh = stored_refresh(asking, &pair, granted);
    let rotated = tokens::rotate(asking.db, used, &issue, &refresh)
        .await
        .map_err(subject_deleted)?;
    Ok(rotated.then(|| pair.response(asking, grantee.scope, true)))
}

fn issue<'a>(
    asking: &'a TokenExchange<'_>,
    family: Uuid,
    pair: &Pair,
    grantee: &Subject,
) -> Issue<'a> {
    let now = asking.app.clock.now();
    let seconds = asking.tenant.settings.token_policy.access_seconds;
    Issue {
        family,
        client: &asking.client.id,
        user: grantee.user,
        access: StoredToken {
            digest: pair.access.digest,
            expires_at: now + Duration::seconds(seconds.into()),
            scope: grantee.scope.clone(),
        },
        now,
    }
}

fn stored_refresh(asking: &TokenExchange<'_>, pair: &Pair, scope: Scopes) -> StoredToken {
    let seconds = asking.tenant.settings.token_policy.refresh_seconds;
    StoredToken {
        digest: pair.refresh.digest,
        expires_at: asking.app.clock.now() + Duration::seconds(seconds.into()),
        scope,
    }
}

/// A client or user that went while its token was made.
fn subject_deleted(error: Error) -> OAuthError {
    match error {
        Error::Db(cause) if cause.is_foreign_key_violation() => {
            OAuthError::new(Code::InvalidGrant, "The client or the user is gone.")
        }
        error => error.into(),
    }
}

async fn sweep(asking: &TokenExchange<'_>) -> Result<(), Error> {
    if asking.app.entropy.bytes::<1>()[0].is_multiple_of(SWEEP_ONE_IN) {
        tokens::sweep(asking.db, asking.app.clock.now()).await?;
    }
    Ok(())
}
