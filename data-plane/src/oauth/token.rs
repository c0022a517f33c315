//! `POST /oauth/token` (RFC 6749 section 3.2).

use axum::{
    extract::{Extension, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, header};
use secrecy::SecretString;
use serde::Deserialize;
use service::{Json, Parameters, Problem, problem::ProblemBody, request::ClientAddr};
use utoipa::ToSchema;

use super::{
    authenticate,
    grants::{Grant, TokenExchange},
    issue::TokenResponse,
};
use crate::{
    app::App,
    error::{Code, OAuthError, OAuthErrorBody},
    resolve::{InTenant, Uncounted},
};

/// A request for a token; which fields are needed depends on the grant. A form as the RFC has
/// it; JSON is read too.
#[derive(Deserialize, ToSchema)]
pub(crate) struct TokenRequest {
    /// `client_credentials`, `password` or `refresh_token`.
    #[serde(default)]
    grant_type: Option<String>,
    /// Unless the client authenticates by HTTP Basic.
    #[serde(default)]
    client_id: Option<String>,
    /// Unless the client authenticates by HTTP Basic or is public.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    client_secret: Option<SecretString>,
    /// Scopes, separated by spaces; default: all that the client may have.
    #[serde(default)]
    pub(super) scope: Option<String>,
    /// Grant `password`: username or email.
    #[serde(default)]
    pub(super) username: Option<String>,
    /// Grant `password`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(super) password: Option<SecretString>,
    /// Grant `refresh_token`.
    #[serde(default)]
    pub(super) refresh_token: Option<String>,
}

/// Issues tokens.
#[utoipa::path(post, path = "/oauth/token", tag = "oauth", security(("client" = [])),
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded", examples(
        ("client_credentials" = (summary = "The client acts for itself",
            value = json!({"grant_type": "client_credentials", "scope": "read"}))),
        ("password" = (summary = "The client hands in its user's password",
            value = json!({"grant_type": "password", "username": "ada",
                "password": "correct horse battery", "scope": "read"}))),
        ("refresh_token" = (summary = "New tokens for a refresh token",
            value = json!({"grant_type": "refresh_token", "refresh_token": "tnt_rt_SECRET"}))),
    )),
    responses((status = 200, body = TokenResponse), (status = 400, body = OAuthErrorBody),
    (status = 401, body = OAuthErrorBody), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn token(
    State(app): State<App>,
    Extension(from): Extension<ClientAddr>,
    uncounted: Uncounted,
    headers: HeaderMap,
    request: Result<Parameters<TokenRequest>, Problem>,
) -> Result<Response, OAuthError> {
    let (grant, mut request) = uncounted.read(&app, read(request))?;
    let (id, secret) = (request.client_id.take(), request.client_secret.take());
    let asking = authenticate::client(&app, uncounted, &headers, id, secret).await;
    let (InTenant { tenant, db }, client) = asking?;
    let asking = TokenExchange {
        app: &app,
        db: &db,
        tenant: &tenant,
        client,
        from: from.network(),
    };
    asking.may_use(grant)?;
    let response = match grant {
        Grant::ClientCredentials => asking.client_credentials(&request).await?,
        Grant::Password => asking.password(request).await?,
        Grant::RefreshToken => asking.refresh(&request).await?,
        Grant::AuthorizationCode => return Err(unsupported()),
    };
    let no_store = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::PRAGMA, HeaderValue::from_static("no-cache")),
    ];
    Ok((no_store, Json(response)).into_response())
}

/// The grant that a request names, and the request.
fn read(
    request: Result<Parameters<TokenRequest>, Problem>,
) -> Result<(Grant, TokenRequest), OAuthError> {
    let Parameters(request) = request?;
    let missing = || OAuthError::new(Code::InvalidRequest, "grant_type is needed.");
    let grant = request.grant_type.as_deref().ok_or_else(missing)?;
    let grant = Grant::read(grant).filter(|grant| *grant != Grant::AuthorizationCode);
    Ok((grant.ok_or_else(unsupported)?, request))
}

fn unsupported() -> OAuthError {
    OAuthError::new(Code::UnsupportedGrantType, "")
}
