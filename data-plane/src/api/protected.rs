//! What a token opens, in its three degrees: any token, a scope, an administrator's scope.

use serde::Serialize;
use service::{Json, Kind, Problem, problem::ProblemBody};
use tenancy::Slug;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{
    caller::Caller,
    ids::UserId,
    scope::{AdminScope, Any, Profile, Scopes},
    store::users::Role,
};

/// What the token stands for.
#[derive(Serialize, ToSchema)]
#[schema(example = json!(
    {"message": "The token is valid.", "tenant": "acme",
    "user_id": "0197c5a0-7e1c-7cc3-98c4-dc0c0c07398f", "username": "ada",
    "client_id": "tnt_client_0197c5a07e1c7cc398c4dc0c0c07398f", "scope": "read write"}
))]
pub(crate) struct Access {
    message: &'static str,
    #[schema(value_type = String)]
    tenant: Slug,
    /// `null` when a client acts for itself.
    user_id: Option<UserId>,
    /// `null` without scope `profile`, and when a client acts for itself.
    username: Option<String>,
    client_id: Option<String>,
    /// The scopes that count now.
    #[schema(value_type = String)]
    scope: Scopes,
}

/// The user on whose behalf a token acts.
#[derive(Serialize, ToSchema)]
#[schema(example = json!(
    {"id": "0197c5a0-7e1c-7cc3-98c4-dc0c0c07398f", "username": "ada",
    "email": "ada@example.com", "role": "user", "tenant": "acme",
    "created_at": "2026-01-31T09:30:00Z"}
))]
pub(crate) struct Me {
    id: UserId,
    username: String,
    /// Scope `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    role: Role,
    #[schema(value_type = String)]
    tenant: Slug,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

fn access<S>(caller: &Caller<S>, message: &'static str) -> Json<Access> {
    let (user, profile) = (
        caller.principal.user.as_ref(),
        caller.principal.may("profile"),
    );
    Json(Access {
        message,
        tenant: caller.tenant.slug.clone(),
        user_id: user.map(|user| user.id),
        username: user.filter(|_| profile).map(|user| user.username.clone()),
        client_id: caller.principal.client.clone(),
        scope: caller.principal.scopes(),
    })
}

/// Opens to any valid token.
#[utoipa::path(get, path = "/api/protected", tag = "api", security(("bearer" = [])), responses(
    (status = 200, body = Access), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn protected(caller: Caller<Any>) -> Json<Access> {
    access(&caller, "The token is valid.")
}

/// Opens to tokens with scope `admin`, which only admins and owners hold.
#[utoipa::path(get, path = "/api/admin", tag = "api", security(("bearer" = ["admin"])), responses(
    (status = 200, body = Access), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn admin(caller: Caller<AdminScope>) -> Json<Access> {
    access(&caller, "The token may administer this tenant.")
}

/// The user on whose behalf the token acts. Needs scope `profile`.
#[utoipa::path(get, path = "/api/users/me", tag = "api", security(("bearer" = ["profile"])),
    responses((status = 200, body = Me), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn me(caller: Caller<Profile>) -> Result<Json<Me>, Problem> {
    let user = caller.principal.user.clone().ok_or_else(|| {
        Problem::new(Kind::Forbidden).detail("This token acts for a client, not for a user.")
    })?;
    Ok(Json(Me {
        id: user.id,
        username: user.username,
        email: Some(user.email).filter(|_| caller.principal.may("email")),
        role: user.role,
        tenant: caller.tenant.slug.clone(),
        created_at: user.created_at,
    }))
}
