//! `GET /tenants/plans`: what a stranger may sign up for; `/control/v1/plans`: plans, for operators.

use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use service::{Json, Kind, Problem, problem::ProblemBody};
use utoipa::ToSchema;

use super::{operator::Operator, path::NamedPlan};
use crate::{
    app::ControlPlane,
    error::Error,
    plans::PlanFields,
    settings::SignUps,
    store::plans::{Limits, Plan, PlanRecord},
};

/// What a stranger may sign up for.
#[derive(Serialize, ToSchema)]
#[schema(example = json!(
    {"signup": "open", "contact": null, "plans": [{"name": "basic", "title": "Basic",
    "max_users": 50, "max_clients": 20, "max_notes": 10000, "requests_per_second": 200,
    "storage_bytes": 1073741824, "api_calls_per_month": 1000000}]}
))]
pub(crate) struct Offer {
    /// `open`, or `closed`: operators alone make tenants.
    signup: SignUps,
    /// Whom to ask while sign-up is closed, if the operator says so.
    contact: Option<String>,
    /// The plans that a stranger may choose, in the operator's order; the first is the default.
    plans: Vec<OfferedPlan>,
}

/// A plan that a stranger may choose.
#[derive(Serialize, ToSchema)]
pub(crate) struct OfferedPlan {
    /// What a sign-up names it by.
    name: String,
    /// For people.
    title: String,
    /// What a tenant on it may use.
    #[serde(flatten)]
    limits: Limits,
}

impl From<Plan> for OfferedPlan {
    fn from(plan: Plan) -> Self {
        Self {
            name: plan.name,
            title: plan.title,
            limits: plan.limits,
        }
    }
}

/// Every plan, for operators.
#[derive(Serialize, ToSchema)]
pub(crate) struct Plans {
    plans: Vec<PlanRecord>,
}

/// Whether strangers may sign up, and on which plans.
#[utoipa::path(get, path = "/tenants/plans", tag = "sign-up", responses(
    (status = 200, description = "What is open to anyone", body = Offer),
    (status = "4XX", description = "Refused", body = ProblemBody)))]
pub(crate) async fn offer(State(plane): State<ControlPlane>) -> Result<Json<Offer>, Error> {
    let plans = plane.store().plans().await?.into_iter();
    let offered = plans.filter(|plan| plan.self_serve);
    Ok(Json(Offer {
        signup: plane.settings().signup,
        contact: plane.settings().signup_contact.clone(),
        plans: offered.map(OfferedPlan::from).collect(),
    }))
}

/// Every plan, in the operator's order, and how many tenants are on each.
#[utoipa::path(get, path = "/control/v1/plans", tag = "operators",
    security(("operator" = [])), responses(
    (status = 200, description = "Every plan", body = Plans),
    (status = "4XX", description = "Refused", body = ProblemBody)))]
pub(crate) async fn list_plans(
    State(plane): State<ControlPlane>,
    _: Operator,
) -> Result<Json<Plans>, Error> {
    let plans = plane.plans().await?;
    Ok(Json(Plans { plans }))
}

/// Changes a plan, or makes one. What is absent stays as it is; a new plan needs all but a title.
#[utoipa::path(put, path = "/control/v1/plans/{name}", tag = "operators",
    params(("name" = String, Path, description = "The plan's name")),
    request_body = PlanFields, security(("operator" = [])), responses(
    (status = 200, description = "The plan as it is now", body = Plan),
    (status = "4XX", description = "Refused", body = ProblemBody)))]
pub(crate) async fn edit_plan(
    State(plane): State<ControlPlane>,
    operator: Operator,
    NamedPlan(name): NamedPlan,
    Json(fields): Json<PlanFields>,
) -> Result<Json<Plan>, Error> {
    plane
        .put_plan(&name, fields, &operator.name)
        .await
        .map(Json)
}

/// Removes a plan that no tenant is on, or ever was.
#[utoipa::path(delete, path = "/control/v1/plans/{name}", tag = "operators",
    params(("name" = String, Path, description = "The plan's name")),
    security(("operator" = [])), responses(
    (status = 204, description = "Removed"),
    (status = "4XX", description = "Refused", body = ProblemBody)))]
pub(crate) async fn remove_plan(
    State(plane): State<ControlPlane>,
    operator: Operator,
    NamedPlan(name): NamedPlan,
) -> Result<StatusCode, Error> {
    match plane.remove_plan(&name, &operator.name).await {
        // The path names it here, and no field.
        Err(Error::NoPlan(_)) => Err(Problem::new(Kind::NotFound)
            .detail("There is no such plan.")
            .into()),
        outcome => outcome.map(|()| StatusCode::NO_CONTENT),
    }
}
