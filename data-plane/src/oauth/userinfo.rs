//! `GET` and `POST /oauth/userinfo` (OpenID Connect Core section 5.3).

use serde::Serialize;
use service::{Json, Kind, Problem, problem::ProblemBody};
use utoipa::ToSchema;

use crate::{caller::Caller, ids::UserId, scope::OpenId};

/// Claims about the user, by the token's scopes.
#[derive(Serialize, ToSchema)]
#[schema(example = json!(
    {"sub": "0197c5a0-7e1c-7cc3-98c4-dc0c0c07398f", "preferred_username": "ada", "name": "ada",
    "email": "ada@example.com", "email_verified": false}
))]
pub(crate) struct Claims {
    sub: UserId,
    /// Scope `profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<String>,
    /// Scope `profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Scope `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Scope `email`; addresses are not verified yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

/// Claims about the user on whose behalf the token acts. Needs scope `openid`.
#[utoipa::path(get, path = "/oauth/userinfo", tag = "oauth", security(("bearer" = ["openid"])),
    responses((status = 200, body = Claims), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn get(caller: Caller<OpenId>) -> Result<Json<Claims>, Problem> {
    claims(&caller)
}

/// The same by POST, as OpenID Connect asks.
#[utoipa::path(post, path = "/oauth/userinfo", tag = "oauth", security(("bearer" = ["openid"])),
    responses((status = 200, body = Claims), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn post(caller: Caller<OpenId>) -> Result<Json<Claims>, Problem> {
    claims(&caller)
}

fn claims(caller: &Caller<OpenId>) -> Result<Json<Claims>, Problem> {
    let user = caller.principal.user.as_ref().ok_or_else(|| {
        Problem::new(Kind::Forbidden).detail("This token acts for a client, not for a user.")
    })?;
    let (profile, email) = (
        caller.principal.may("profile"),
        caller.principal.may("email"),
    );
    Ok(Json(Claims {
        sub: user.id,
        preferred_username: profile.then(|| user.username.clone()),
        name: profile.then(|| user.username.clone()),
        email: email.then(|| user.email.clone()),
        email_verified: email.then_some(false),
    }))
}
