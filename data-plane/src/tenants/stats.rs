//! `GET /tenants/stats`: how much is used of what the plan allows.

use axum::extract::State;
use serde::Serialize;
use service::{Json, problem::ProblemBody};
use utoipa::ToSchema;

use crate::{app::App, caller::Admin, error::Error, store::stats};

/// Use and limits. A limit that is `null` is none.
#[derive(Serialize, ToSchema)]
#[schema(example = json!(
    {"total_users": 2, "active_users": 2, "total_clients": 1, "active_tokens": 1,
    "active_sessions": 1, "total_notes": 1, "storage_bytes": 200704, "plan": "free",
    "max_users": 10, "max_clients": 5, "max_notes": 1000, "max_storage_bytes": 104857600,
    "max_requests_per_second": 50, "max_api_calls_per_month": 100000}
))]
pub(crate) struct Stats {
    total_users: i64,
    active_users: i64,
    total_clients: i64,
    /// Access tokens that count now.
    active_tokens: i64,
    active_sessions: i64,
    total_notes: i64,
    /// Bytes of the tenant's tables and indexes.
    storage_bytes: i64,
    plan: String,
    max_users: Option<i32>,
    max_clients: Option<i32>,
    max_notes: Option<i32>,
    max_storage_bytes: Option<i64>,
    max_requests_per_second: Option<i32>,
    max_api_calls_per_month: Option<i64>,
}

/// How much the tenant uses of what its plan allows. For admins and owners.
#[utoipa::path(get, path = "/tenants/stats", tag = "tenant",
    security(("session" = ["admin"]), ("bearer" = ["admin"])), responses(
    (status = 200, body = Stats), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn get(
    State(app): State<App>,
    Admin(member): Admin,
) -> Result<Json<Stats>, Error> {
    let counts = stats::count(&member.db, app.clock.now()).await?;
    let plan = &member.tenant.plan;
    Ok(Json(Stats {
        total_users: counts.total_users,
        active_users: counts.active_users,
        total_clients: counts.total_clients,
        active_tokens: counts.active_tokens,
        active_sessions: counts.active_sessions,
        total_notes: counts.total_notes,
        storage_bytes: counts.storage_bytes,
        plan: plan.name.clone(),
        max_users: plan.max_users,
        max_clients: plan.max_clients,
        max_notes: plan.max_notes,
        max_storage_bytes: plan.storage_bytes,
        max_requests_per_second: plan.requests_per_second,
        max_api_calls_per_month: plan.api_calls_per_month,
    }))
}
