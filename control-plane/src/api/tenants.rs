//! `/control/v1/tenants`: what operators do to a tenant.

use axum::extract::State;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use service::{
    Faults, Json, Kind, Problem, Query,
    body::{Created, Text},
    exact,
    password::Share,
    problem::ProblemBody,
};
use utoipa::{IntoParams, ToSchema};

use super::{operator::Operator, path::Named, register};
use crate::{
    app::ControlPlane,
    error::Error,
    rename::NewNames,
    signup::{Answer, Application, SignedUp},
    store::{events::Event, tenants::TenantRecord},
};

/// A plan to be put on.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"plan": "premium"}))]
pub(crate) struct NewPlan {
    #[serde(default)]
    #[schema(value_type = String)]
    plan: Text,
}

/// Which page of events.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Before {
    /// Events before the one of this id.
    #[param(value_type = Option<i64>)]
    before: Option<String>,
}

impl Before {
    pub(super) fn before(self) -> Result<Option<i64>, Problem> {
        let before = self.before.map(|text| {
            let fault = "is not a cursor of a previous page";
            exact::parse(&text)
                .ok_or_else(|| Problem::new(Kind::ValidationFailed).field("before", fault))
        });
        before.transpose()
    }
}

/// What was done, the latest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct Events {
    events: Vec<Event>,
    /// `before` of the next page; `null` on the last one.
    next: Option<i64>,
}

impl Events {
    pub(super) const PAGE: i64 = 100;

    /// Events as many as were asked for are not the last ones.
    pub(super) fn page(events: Vec<Event>) -> Self {
        let full = i64::try_from(events.len()).unwrap_or(0) == Self::PAGE;
        let next = events.last().filter(|_| full).map(|last| last.id);
        Self { events, next }
    }
}

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
        .sign_up(
            application,
            key.as_deref(),
            &operator.actor(),
            Share::operators(),
        )
        .await
        .map(Created)
}

/// One tenant.
#[utoipa::path(get, path = "/control/v1/tenants/{slug}", tag = "operators",
    params(("slug" = String, Path, description = "The tenant's slug")), security(("operator" = [])), responses(
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
    params(("slug" = String, Path, description = "The tenant's slug"), Before), security(("operator" = [])), responses(
    (status = 200, body = Events), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn events(
    State(plane): State<ControlPlane>,
    _: Operator,
    Named(slug): Named,
    Query(page): Query<Before>,
) -> Result<Json<Events>, Error> {
    let events = plane.events(&slug, page.before()?, Events::PAGE).await?;
    Ok(Json(Events::page(events)))
}

/// Stops serving a tenant; everything is kept.
#[utoipa::path(post, path = "/control/v1/tenants/{slug}/suspend", tag = "operators",
    params(("slug" = String, Path, description = "The tenant's slug")), security(("operator" = [])), responses(
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
    params(("slug" = String, Path, description = "The tenant's slug")), security(("operator" = [])), responses(
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
    params(("slug" = String, Path, description = "The tenant's slug")), security(("operator" = [])), responses(
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
    params(("slug" = String, Path, description = "The tenant's slug")), security(("operator" = [])), responses(
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
    params(("slug" = String, Path, description = "The tenant's slug")), security(("operator" = [])), responses(
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
    params(("slug" = String, Path, description = "The tenant's slug")), request_body = NewPlan, security(("operator" = [])),
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

/// Gives a tenant another name, another slug, or both. Its old slug redirects for
/// `SLUG_HOLD_DAYS` and is nobody else's meanwhile.
#[utoipa::path(patch, path = "/control/v1/tenants/{slug}", tag = "operators",
    params(("slug" = String, Path, description = "The tenant's slug")), request_body = NewNames, security(("operator" = [])),
    responses((status = 200, body = TenantRecord), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn rename(
    State(plane): State<ControlPlane>,
    operator: Operator,
    Named(slug): Named,
    Json(new): Json<NewNames>,
) -> Result<Json<TenantRecord>, Error> {
    plane.rename(&slug, new, &operator.name).await.map(Json)
}
