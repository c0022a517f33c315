//! `POST /oauth/revoke` (RFC 7009).

use axum::extract::State;
use http::{HeaderMap, StatusCode};
use secrecy::SecretString;
use serde::Deserialize;
use service::{Digest, Parameters, Problem, problem::ProblemBody};
use utoipa::ToSchema;

use super::authenticate;
use crate::{
    app::App,
    error::{Code, OAuthError, OAuthErrorBody},
    resolve::{InTenant, Uncounted},
    store::authorizations,
};

/// A token presented by a client, to be revoked or introspected.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"token": "tnt_at_SECRET"}))]
pub(crate) struct Presentation {
    #[serde(default)]
    pub(super) token: Option<String>,
    /// `access_token` or `refresh_token`; not needed.
    #[serde(default)]
    #[allow(dead_code, reason = "a hint that a look-up by digest does not need")]
    token_type_hint: Option<String>,
    #[serde(default)]
    pub(super) client_id: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(super) client_secret: Option<SecretString>,
}

impl Presentation {
    pub(super) fn digest(&self) -> Result<Digest, OAuthError> {
        let missing = || OAuthError::new(Code::InvalidRequest, "token is needed.");
        self.token.as_deref().map(Digest::of).ok_or_else(missing)
    }
}

/// Revokes a token of the client: an access token alone, a refresh token with all that came of
/// the same authorization. What is unknown, or another client's, is answered alike and left.
#[utoipa::path(post, path = "/oauth/revoke", tag = "oauth", security(("client" = [])),
    request_body(content = Presentation, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "It does not count any longer"),
    (status = 400, body = OAuthErrorBody), (status = 401, body = OAuthErrorBody),
    (status = "4XX", body = ProblemBody)))]
pub(crate) async fn revoke(
    State(app): State<App>,
    uncounted: Uncounted,
    headers: HeaderMap,
    request: Result<Parameters<Presentation>, Problem>,
) -> Result<StatusCode, OAuthError> {
    let Parameters(mut request) = uncounted.read(&app, request.map_err(OAuthError::from))?;
    let (id, secret) = (request.client_id.take(), request.client_secret.take());
    let asking = authenticate::client(&app, uncounted, &headers, id, secret).await;
    let (InTenant { db, .. }, client) = asking?;
    let (digest, now) = (request.digest()?, app.clock.now());
    authorizations::revoke_token(&db, &digest, &client.id, now).await?;
    Ok(StatusCode::OK)
}
