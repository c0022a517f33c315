//! `POST /oauth/introspect` (RFC 7662).

use axum::extract::State;
use http::HeaderMap;
use serde::Serialize;
use service::{Json, Parameters, Problem, problem::ProblemBody};
use utoipa::ToSchema;

use super::{authenticate, revoke::Presentation};
use crate::{
    app::App,
    caller::Principal,
    error::{Code, OAuthError, OAuthErrorBody},
    ids::UserId,
    resolve::{InTenant, Uncounted},
    scope::Scopes,
    store::tokens,
};

/// What a token stands for. Of one that does not count, nothing but that.
#[derive(Default, Serialize, ToSchema)]
#[schema(example = json!(
    {"active": true, "scope": "read write",
    "client_id": "tnt_client_0197c5a07e1c7cc398c4dc0c0c07398f", "username": "ada",
    "sub": "0197c5a0-7e1c-7cc3-98c4-dc0c0c07398f", "token_type": "Bearer", "exp": 1769855400,
    "iat": 1769851800}
))]
pub(crate) struct Introspection {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    scope: Option<Scopes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    /// Scope `profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    /// The user's id, or the client's when it acts for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    /// `Bearer` for an access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
}

impl Introspection {
    fn of(principal: &Principal, token_type: Option<&'static str>) -> Self {
        let user = principal.user.as_ref();
        Self {
            active: true,
            scope: Some(principal.scopes()),
            client_id: principal.client.clone(),
            username: user
                .filter(|_| principal.may("profile"))
                .map(|user| user.username.clone()),
            sub: user
                .map(|user| &user.id)
                .map(UserId::to_string)
                .or_else(|| principal.client.clone()),
            token_type,
            exp: Some(principal.expires_at.unix_timestamp()),
            iat: Some(principal.issued_at.unix_timestamp()),
        }
    }
}

/// Tells a confidential client of the tenant what a token of the tenant stands for.
#[utoipa::path(post, path = "/oauth/introspect", tag = "oauth", security(("client" = [])),
    request_body(content = Presentation, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = Introspection), (status = 400, body = OAuthErrorBody),
    (status = 401, body = OAuthErrorBody), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn introspect(
    State(app): State<App>,
    uncounted: Uncounted,
    headers: HeaderMap,
    request: Result<Parameters<Presentation>, Problem>,
) -> Result<Json<Introspection>, OAuthError> {
    let Parameters(mut request) = uncounted.read(&app, request.map_err(OAuthError::from))?;
    let (id, secret) = (request.client_id.take(), request.client_secret.take());
    let asking = authenticate::client(&app, uncounted, &headers, id, secret).await;
    let (InTenant { db, .. }, client) = asking?;
    if client.secret.is_none() {
        let text = "A public client cannot introspect.";
        return Err(OAuthError::new(Code::UnauthorizedClient, text));
    }
    let (digest, now) = (request.digest()?, app.clock.now());
    if let Some(principal) = tokens::access(&db, &digest, now).await? {
        return Ok(Json(Introspection::of(&principal, Some("Bearer"))));
    }
    let refresh = tokens::refresh(&db, &digest, now)
        .await?
        .filter(|found| !found.used);
    let own = refresh.filter(|found| found.principal.client.as_deref() == Some(&client.id));
    Ok(Json(
        own.map(|found| Introspection::of(&found.principal, None))
            .unwrap_or_default(),
    ))
}
