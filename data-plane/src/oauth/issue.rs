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
    store::{
        authorizations::{self, Holder, Issue, StoredToken},
        tokens,
    },
};

/// One token issued in this many sweeps away some that have expired.
const SWEEP_ONE_IN: u8 = 64;

/// For whom a new authorization is, and for what.
pub(super) struct Subject {
    /// `None`: the client acts for itself.
    pub(super) holder: Option<Holder>,
    pub(super) scope: Scopes,
}

/// What a refresh token is exchanged for.
pub(super) struct Refreshed {
    pub(super) authorization: Uuid,
    pub(super) user: UserId,
    /// Of the access token.
    pub(super) scope: Scopes,
    /// Of the next refresh token: what was granted at first (RFC 6749 section 6).
    pub(super) granted: Scopes,
}

/// A successful answer (RFC 6749 section 5.1).
#[derive(Serialize, ToSchema)]
#[schema(example = json!(
    {"access_token": "tnt_at_SECRET", "token_type": "Bearer", "expires_in": 3600,
    "refresh_token": "tnt_rt_SECRET", "scope": "read write"}
))]
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
    fn mint(exchange: &TokenExchange<'_>) -> Self {
        let entropy = &exchange.app.entropy;
        Self {
            access: Minted::new(entropy, "tnt_at_"),
            refresh: Minted::new(entropy, "tnt_rt_"),
        }
    }

    fn response(self, exchange: &TokenExchange<'_>, scope: Scopes, refresh: bool) -> TokenResponse {
        TokenResponse {
            access_token: self.access.secret.expose_secret().to_owned(),
            token_type: "Bearer",
            expires_in: exchange.tenant.settings.token_policy.access_seconds,
            refresh_token: refresh.then(|| self.refresh.secret.expose_secret().to_owned()),
            scope,
        }
    }
}

/// An access token without a refresh token, for a client that acts for itself.
pub(super) async fn access_only(
    exchange: &TokenExchange<'_>,
    subject: Subject,
) -> Result<TokenResponse, OAuthError> {
    let issued = begin(exchange, subject, false).await?;
    issued.ok_or_else(client_removed)
}

/// An access token, and a refresh token for a client that is registered for them. `None` when the
/// user's credentials have changed since they were checked.
pub(super) async fn with_refresh(
    exchange: &TokenExchange<'_>,
    subject: Subject,
) -> Result<Option<TokenResponse>, OAuthError> {
    let refreshable = exchange.client.may_use(Grant::RefreshToken.as_str());
    begin(exchange, subject, refreshable).await
}

async fn begin(
    exchange: &TokenExchange<'_>,
    subject: Subject,
    refreshable: bool,
) -> Result<Option<TokenResponse>, OAuthError> {
    let pair = Pair::mint(exchange);
    let authorization = exchange.app.entropy.id(&exchange.app.clock);
    let refresh = refreshable.then(|| stored_refresh(exchange, &pair, subject.scope.clone()));
    let issue = issue(
        exchange,
        authorization,
        &pair,
        subject.scope.clone(),
        refresh,
    );
    let issued = authorizations::issue(exchange.db, &issue, subject.holder).await;
    if !issued.map_err(subject_deleted)? {
        return Ok(None);
    }
    sweep(exchange).await?;
    Ok(Some(pair.response(exchange, subject.scope, refreshable)))
}

/// New tokens for a refresh token, which is used up; `None` when it does not count any longer.
pub(super) async fn rotate(
    exchange: &TokenExchange<'_>,
    used: &Digest,
    to: Refreshed,
) -> Result<Option<TokenResponse>, OAuthError> {
    let pair = Pair::mint(exchange);
    let refresh = stored_refresh(exchange, &pair, to.granted);
    let issue = issue(
        exchange,
        to.authorization,
        &pair,
        to.scope.clone(),
        Some(refresh),
    );
    let rotated = authorizations::rotate(exchange.db, used, &issue, to.user)
        .await
        .map_err(subject_deleted)?;
    Ok(rotated.then(|| pair.response(exchange, to.scope, true)))
}

fn issue<'a>(
    exchange: &'a TokenExchange<'_>,
    authorization: Uuid,
    pair: &Pair,
    scope: Scopes,
    refresh: Option<StoredToken>,
) -> Issue<'a> {
    let now = exchange.app.clock.now();
    let seconds = exchange.tenant.settings.token_policy.access_seconds;
    Issue {
        authorization,
        client: &exchange.client.id,
        access: StoredToken {
            digest: pair.access.digest,
            expires_at: now + Duration::seconds(seconds.into()),
            scope,
        },
        refresh,
        now,
    }
}

fn stored_refresh(exchange: &TokenExchange<'_>, pair: &Pair, scope: Scopes) -> StoredToken {
    let seconds = exchange.tenant.settings.token_policy.refresh_seconds;
    StoredToken {
        digest: pair.refresh.digest,
        expires_at: exchange.app.clock.now() + Duration::seconds(seconds.into()),
        scope,
    }
}

/// A client that was removed while its token was made.
fn subject_deleted(error: Error) -> OAuthError {
    match error {
        Error::Db(cause) if cause.is_foreign_key_violation() => client_removed(),
        error => error.into(),
    }
}

fn client_removed() -> OAuthError {
    OAuthError::new(Code::InvalidClient, "The client was removed.")
}

async fn sweep(exchange: &TokenExchange<'_>) -> Result<(), Error> {
    if exchange.app.entropy.bytes::<1>()[0].is_multiple_of(SWEEP_ONE_IN) {
        tokens::sweep(exchange.db, exchange.app.clock.now()).await?;
    }
    Ok(())
}
