//! `/control/v1/migrations`: where the fleet is, and bringing it up to date.

use axum::extract::State;
use service::{Json, problem::ProblemBody};

use super::operator::Operator;
use crate::{
    app::ControlPlane,
    error::Error,
    fleet::{FleetStatus, Migrated},
};

/// How many tenants are at which version, and who is behind.
#[utoipa::path(get, path = "/control/v1/migrations", tag = "operators",
    security(("operator" = [])), responses((status = 200, body = FleetStatus),
    (status = "4XX", body = ProblemBody)))]
pub(crate) async fn status(
    State(plane): State<ControlPlane>,
    _: Operator,
) -> Result<Json<FleetStatus>, Error> {
    plane.fleet_status().await.map(Json)
}

/// Runs the pending migrations, tenant by tenant. A tenant that fails harms no other.
#[utoipa::path(post, path = "/control/v1/migrations/run", tag = "operators",
    security(("operator" = [])), responses((status = 200, body = Migrated),
    (status = "4XX", body = ProblemBody)))]
pub(crate) async fn run(
    State(plane): State<ControlPlane>,
    _: Operator,
) -> Result<Json<Migrated>, Error> {
    plane.migrate_fleet().await.map(Json)
}
