//! `/control/v1/tenants/{slug}/domains`: a tenant's own domains; `/control/v1/domains/{hostname}`:
//! whose a domain is.

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
    store::{
        domains::{Domain, Holder},
        tenants::TenantRecord,
    },
};

/// A domain to be claimed.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"domain": "www.example.com"}))]
pub(crate) struct NewDomain {
    #[serde(default)]
    #[schema(value_type = String)]
    domain: Text,
}

/// A tenant's domains.
#[derive(Serialize, ToSchema)]
pub(crate) struct Domains {
    domains: Vec<Domain>,
}

/// Who has a domain, or would like to.
#[derive(Serialize, ToSchema)]
pub(crate) struct Holders {
    hostname: String,
    /// Whoever has it verified, if anybody, and then who claims it, the first claim first; 200 at
    /// the most.
    holders: Vec<Holder>,
}

/// Whose a domain is: who has it verified, and who claims it.
#[utoipa::path(get, path = "/control/v1/domains/{hostname}", tag = "operators",
    params(("hostname" = String, Path, description = "A domain")), security(("operator" = [])), responses(
    (status = 200, body = Holders), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn holders(
    State(plane): State<ControlPlane>,
    _: Operator,
    NamedDomain(host): NamedDomain,
) -> Result<Json<Holders>, Error> {
    Ok(Json(Holders {
        holders: plane.domain_holders(&host).await?,
        hostname: host.to_string(),
    }))
}

/// A tenant's domains: the verified ones, and claims that have not run out.
#[utoipa::path(get, path = "/control/v1/tenants/{slug}/domains", tag = "operators",
    params(("slug" = String, Path, description = "The tenant's slug")), security(("operator" = [])), responses(
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

/// Claims a domain for a tenant. It is served once it is verified; unless it is, the claim ends
/// after seven days. A claim keeps nobody else out.
#[utoipa::path(post, path = "/control/v1/tenants/{slug}/domains", tag = "operators",
    params(("slug" = String, Path, description = "The tenant's slug")), request_body = NewDomain, security(("operator" = [])),
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
    tag = "operators", params(("slug" = String, Path, description = "The tenant's slug"), ("hostname" = String, Path, description = "A domain")),
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
    params(("slug" = String, Path, description = "The tenant's slug"), ("hostname" = String, Path, description = "A domain")), security(("operator" = [])),
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
