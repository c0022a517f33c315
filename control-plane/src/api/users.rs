//! `/control/v1/tenants/{slug}/users`: help for a tenant that nobody can sign in to.

use axum::extract::State;
use serde::Deserialize;
use service::{
    Json,
    body::{Created, Text},
    problem::ProblemBody,
};
use utoipa::ToSchema;

use super::{
    operator::Operator,
    path::{Named, NamedUser},
};
use crate::{app::ControlPlane, error::Error, members::NewMember, store::members::Member};

/// A password to be set.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"password": "correct horse battery"}))]
pub(crate) struct NewPassword {
    /// What the tenant asks of a new password.
    #[serde(default)]
    #[schema(value_type = String, format = Password)]
    password: Text,
}

/// Adds a user to a tenant, in any role.
#[utoipa::path(post, path = "/control/v1/tenants/{slug}/users", tag = "operators",
    params(("slug" = String, Path, description = "The tenant's slug")), request_body = NewMember, security(("operator" = [])),
    responses((status = 201, body = Member), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn create(
    State(plane): State<ControlPlane>,
    operator: Operator,
    Named(slug): Named,
    Json(new): Json<NewMember>,
) -> Result<Created<Member>, Error> {
    let made = plane.create_user(&slug, new, &operator.name).await;
    made.map(Created)
}

/// Sets a user's password, ends their sessions and revokes their tokens.
#[utoipa::path(put, path = "/control/v1/tenants/{slug}/users/{user}/password", tag = "operators",
    params(("slug" = String, Path, description = "The tenant's slug"), ("user" = String, Path, description = "Username or email")),
    request_body = NewPassword, security(("operator" = [])),
    responses((status = 200, body = Member), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn put_password(
    State(plane): State<ControlPlane>,
    operator: Operator,
    Named(slug): Named,
    NamedUser(user): NamedUser,
    Json(new): Json<NewPassword>,
) -> Result<Json<Member>, Error> {
    let NewPassword { password } = new;
    let set = plane.reset_password(&slug, &user, password, &operator.name);
    set.await.map(Json)
}
