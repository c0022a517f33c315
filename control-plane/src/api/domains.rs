//! `/control/v1/tenants/{slug}/domains`: a tenant's own domains.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use service::{
    Faults, Json,
    body::{Created, Text},
    problem::ProblemBody,
};
use tenancy::Hostname;
use utoipa::ToSchema;

use super::{
    operator::Operator,
    path::{Named, NamedDomain},
};
use crate::{
    app::ControlPlane,
    error::Error,
    store::{domains::Domain, tenants::TenantRecord},
};

/// A domain to be claimed.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewDomain {
    #[serde(default)]
    #[schema(value_type = String)]
    domain: Text,
}

/// The domains that a tenant claimed.
#[derive(Serialize, ToSchema)]
pub(crate) struct Domains {
    domains: Vec<Domain>,
}

/// The domains that a tenant claimed.
#[utoipa::path(get, path = "/control/v1/tenants/{slug}/domains", tag = "operators",
    params(("slug" = String, Path)), security(("operator" = [])), responses(
    (status = 200, body = Domains), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn list(
    State(plane): State<ControlPlane>,
    _: Operator,
    Named(slug): Named,
) -> Result<Json<Domains>, Error> {
    Ok(Json(Domains {
        domains: plane.domains(&slug).await?,
    }))
}

/// Claims a domain for a tenant; it is served once it is verified.
#[utoipa::path(post, path = "/control/v1/tenants/{slug}/domains", tag = "operators",
    params(("slug" = String, Path)), request_body = NewDomain, security(("operator" = [])),
    responses((status = 201, body = TenantRecord), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn add(
    State(plane): State<ControlPlane>,
    operator: Operator,
    Named(slug): Named,
    Json(new): Json<NewDomain>,
) -> Result<Created<TenantRecord>, Error> {
    let mut faults = Faults::new();
    let text = new.domain.required("domain", &mut faults);
    let host: Option<Hostname> = text.and_then(|text| faults.check("domain", text.parse()));
    let Some(host) = host else {
        return Err(faults.into());
    };
    plane
        .add_domain(&slug, &host, &operator.name)
        .await
        .map(Created)
}

/// Serves a tenant under a domain that it claimed: the operator vouches for it.
#[utoipa::path(post, path = "/control/v1/tenants/{slug}/domains/{hostname}/verify",
    tag = "operators", params(("slug" = String, Path), ("hostname" = String, Path)),
    security(("operator" = [])), responses(
    (status = 200, body = TenantRecord), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn verify(
    State(plane): State<ControlPlane>,
    operator: Operator,
    Named(slug): Named,
    NamedDomain(host): NamedDomain,
) -> Result<Json<TenantRecord>, Error> {
    plane
        .verify_domain(&slug, &host, &operator.name)
        .await
        .map(Json)
}

/// Gives a domain up.
#[utoipa::path(delete, path = "/control/v1/tenants/{slug}/domains/{hostname}", tag = "operators",
    params(("slug" = String, Path), ("hostname" = String, Path)), security(("operator" = [])),
    responses((status = 200, body = TenantRecord), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn remove(
    State(plane): State<ControlPlane>,
    operator: Operator,
    Named(slug): Named,
    NamedDomain(host): NamedDomain,
) -> Result<Json<TenantRecord>, Error> {
    plane
        .remove_domain(&slug, &host, &operator.name)
        .await
        .map(Json)
}
