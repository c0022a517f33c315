//! `/control/v1/tenants/{slug}/inspections`: logins for people who look into one schema.

use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use service::{Json, body::Created, problem::ProblemBody};
use utoipa::ToSchema;

use super::{
    operator::Operator,
    path::{Named, NamedLogin},
};
use crate::{
    app::ControlPlane,
    error::Error,
    inspect::{NewInspection, Opened},
    store::inspections::Inspection,
};

/// The logins that are open.
#[derive(Serialize, ToSchema)]
pub(crate) struct Inspections {
    inspections: Vec<Inspection>,
}

/// The logins that are open for a tenant's schema.
#[utoipa::path(get, path = "/control/v1/tenants/{slug}/inspections", tag = "operators",
    params(("slug" = String, Path, description = "The tenant's slug")), security(("operator" = [])),
    responses((status = 200, body = Inspections), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn list(
    State(plane): State<ControlPlane>,
    _: Operator,
    Named(slug): Named,
) -> Result<Json<Inspections>, Error> {
    let inspections = plane.inspections(&slug).await?;
    Ok(Json(Inspections { inspections }))
}

/// Opens a login for one tenant's schema, which ends by itself. Its password is shown this once.
#[utoipa::path(post, path = "/control/v1/tenants/{slug}/inspections", tag = "operators",
    params(("slug" = String, Path, description = "The tenant's slug")), request_body = NewInspection, security(("operator" = [])),
    responses((status = 201, body = Opened), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn open(
    State(plane): State<ControlPlane>,
    operator: Operator,
    Named(slug): Named,
    Json(new): Json<NewInspection>,
) -> Result<Created<Opened>, Error> {
    plane
        .open_inspection(&slug, new, &operator.name)
        .await
        .map(Created)
}

/// Ends a login, with its sessions.
#[utoipa::path(delete, path = "/control/v1/tenants/{slug}/inspections/{login}", tag = "operators",
    params(("slug" = String, Path, description = "The tenant's slug"), ("login" = String, Path, description = "The login")), security(("operator" = [])),
    responses((status = 204, description = "Gone"), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn close(
    State(plane): State<ControlPlane>,
    operator: Operator,
    Named(slug): Named,
    NamedLogin(login): NamedLogin,
) -> Result<StatusCode, Error> {
    plane
        .close_inspection(&slug, &login, &operator.name)
        .await
        .map(|()| StatusCode::NO_CONTENT)
}
