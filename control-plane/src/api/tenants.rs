//! `/control/v1/tenants`: what operators do to a tenant.

use axum::extract::{FromRequestParts, Path, State};
use http::{HeaderMap, StatusCode, request::Parts};
use serde::{Deserialize, Serialize};
use service::{
    Faults, Json, Kind, Problem, Query,
    body::{Created, Text},
    problem::ProblemBody,
};
use tenancy::{Hostname, Slug};
use utoipa::{IntoParams, ToSchema};

use super::{operator::Operator, register};
use crate::{
    app::ControlPlane,
    error::Error,
    signup::{Answer, Application, SignedUp},
    store::{domains::Domain, events::Event, tenants::TenantRecord},
};

/// The tenant that the path names. What can be no slug is nobody's.
pub(crate) struct Named(Slug);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let nobody = || Problem::new(Kind::TenantNotFound);
        let Path(path) = Path::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(|_| nobody())?;
        let slug = path
            .iter()
            .find(|(name, _)| name == "slug")
            .ok_or_else(nobody)?;
        slug.1.parse().map(Self).map_err(|_| nobody())
    }
}

/// The domain that the path names.
pub(crate) struct NamedDomain(Hostname);

impl<S: Send + Sync> FromRequestParts<S> for NamedDomain {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let nobody = || Problem::new(Kind::NotFound);
        let Path(path) = Path::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(|_| nobody())?;
        let host = path
            .iter()
            .find(|(name, _)| name == "hostname")
            .ok_or_else(nobody)?;
        host.1.parse().map(Self).map_err(|_| nobody())
    }
}

/// A plan to be put on.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewPlan {
    #[serde(default)]
    #[schema(value_type = String)]
    plan: Text,
}

/// A domain to be claimed.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewDomain {
    #[serde(default)]
    #[schema(value_type = String)]
    domain: Text,
}

/// Which page of events.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Before {
    /// Events before the one of this id.
    before: Option<i64>,
}

/// What was done, the latest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct Events {
    events: Vec<Event>,
    /// `before` of the next page; `null` on the last one.
    next: Option<i64>,
}

/// The domains that a tenant claimed.
#[derive(Serialize, ToSchema)]
pub(crate) struct Domains {
    domains: Vec<Domain>,
}

const EVENTS: i64 = 100;

/// Makes a tenant, as a sign-up does, but whether or not sign-up is open.
#[utoipa::path(post, path = "/control/v1/tenants", tag = "operators", request_body = Application,
    security(("operator" = [])), responses((status = 201, body = Answer),
    (status = "4XX", body = ProblemBody)))]
pub(crate) async fn create(
    State(plane): State<ControlPlane>,
    operator: Operator,
    headers: HeaderMap,
    Json(application): Json<Application>,
) -> Result<Created<SignedUp>, Error> {
    let key = register::key(&headers)?;
    plane
        .sign_up(application, key.as_deref(), &operator.name)
        .await
        .map(Created)
}

/// One tenant.
#[utoipa::path(get, path = "/control/v1/tenants/{slug}", tag = "operators",
    params(("slug" = String, Path)), security(("operator" = [])), responses(
    (status = 200, body = TenantRecord), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn show(
    State(plane): State<ControlPlane>,
    _: Operator,
    Named(slug): Named,
) -> Result<Json<TenantRecord>, Error> {
    plane.tenant(&slug).await.map(Json)
}

/// What was done to a tenant, the latest first.
#[utoipa::path(get, path = "/control/v1/tenants/{slug}/events", tag = "operators",
    params(("slug" = String, Path), Before), security(("operator" = [])), responses(
    (status = 200, body = Events), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn events(
    State(plane): State<ControlPlane>,
    _: Operator,
    Named(slug): Named,
    Query(page): Query<Before>,
) -> Result<Json<Events>, Error> {
    let events = plane.events(&slug, page.before, EVENTS).await?;
    let full = i64::try_from(events.len()).unwrap_or(0) == EVENTS;
    let next = events.last().filter(|_| full).map(|last| last.id);
    Ok(Json(Events { events, next }))
}

/// Stops serving a tenant; everything is kept.
#[utoipa::path(post, path = "/control/v1/tenants/{slug}/suspend", tag = "operators",
    params(("slug" = String, Path)), security(("operator" = [])), responses(
    (status = 200, body = TenantRecord), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn suspend(
    State(plane): State<ControlPlane>,
    operator: Operator,
    Named(slug): Named,
) -> Result<Json<TenantRecord>, Error> {
    plane.suspend(&slug, &operator.name).await.map(Json)
}

/// Serves a suspended tenant again.
#[utoipa::path(post, path = "/control/v1/tenants/{slug}/resume", tag = "operators",
    params(("slug" = String, Path)), security(("operator" = [])), responses(
    (status = 200, body = TenantRecord), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn resume(
    State(plane): State<ControlPlane>,
    operator: Operator,
    Named(slug): Named,
) -> Result<Json<TenantRecord>, Error> {
    plane.resume(&slug, &operator.name).await.map(Json)
}

/// Stops serving a tenant for good, unless it is restored within the grace period.
#[utoipa::path(delete, path = "/control/v1/tenants/{slug}", tag = "operators",
    params(("slug" = String, Path)), security(("operator" = [])), responses(
    (status = 200, body = TenantRecord), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn delete(
    State(plane): State<ControlPlane>,
    operator: Operator,
    Named(slug): Named,
) -> Result<Json<TenantRecord>, Error> {
    plane.delete(&slug, &operator.name).await.map(Json)
}

/// Takes a deletion back.
#[utoipa::path(post, path = "/control/v1/tenants/{slug}/restore", tag = "operators",
    params(("slug" = String, Path)), security(("operator" = [])), responses(
    (status = 200, body = TenantRecord), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn restore(
    State(plane): State<ControlPlane>,
    operator: Operator,
    Named(slug): Named,
) -> Result<Json<TenantRecord>, Error> {
    plane.restore(&slug, &operator.name).await.map(Json)
}

/// Removes a deleted tenant with all that it has, at once.
#[utoipa::path(post, path = "/control/v1/tenants/{slug}/purge", tag = "operators",
    params(("slug" = String, Path)), security(("operator" = [])), responses(
    (status = 204, description = "Gone"), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn purge(
    State(plane): State<ControlPlane>,
    operator: Operator,
    Named(slug): Named,
) -> Result<StatusCode, Error> {
    plane
        .purge(&slug, &operator.name)
        .await
        .map(|()| StatusCode::NO_CONTENT)
}

/// Puts a tenant on another plan.
#[utoipa::path(put, path = "/control/v1/tenants/{slug}/plan", tag = "operators",
    params(("slug" = String, Path)), request_body = NewPlan, security(("operator" = [])),
    responses((status = 200, body = TenantRecord), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn put_plan(
    State(plane): State<ControlPlane>,
    operator: Operator,
    Named(slug): Named,
    Json(new): Json<NewPlan>,
) -> Result<Json<TenantRecord>, Error> {
    let mut faults = Faults::new();
    let Some(plan) = new.plan.required("plan", &mut faults) else {
        return Err(faults.into());
    };
    plane.set_plan(&slug, &plan, &operator.name).await.map(Json)
}

/// The domains that a tenant claimed.
#[utoipa::path(get, path = "/control/v1/tenants/{slug}/domains", tag = "operators",
    params(("slug" = String, Path)), security(("operator" = [])), responses(
    (status = 200, body = Domains), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn domains(
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
pub(crate) async fn add_domain(
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
pub(crate) async fn verify_domain(
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
pub(crate) async fn remove_domain(
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
