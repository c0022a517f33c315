//! Whether a tenant is there.

use axum::extract::State;
use serde::Serialize;
use service::{Json, problem::ProblemBody};
use tenancy::Slug;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{app::App, resolve::InTenant};

/// A short answer.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"message": "pong", "tenant": "acme"}))]
pub(crate) struct Pong {
    message: &'static str,
    /// The tenant that the request was for.
    #[schema(value_type = String)]
    tenant: Slug,
}

/// The tenant's state.
#[derive(Serialize, ToSchema)]
#[schema(example = json!(
    {"status": "ok", "tenant": "acme", "version": "0.1.0", "time": "2026-01-31T09:30:00Z"}
))]
pub(crate) struct TenantStatus {
    /// `ok`.
    status: &'static str,
    #[schema(value_type = String)]
    tenant: Slug,
    /// The version of the product.
    version: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    time: OffsetDateTime,
}

/// Answers when the tenant is served.
#[utoipa::path(get, path = "/api/ping", tag = "api", responses(
    (status = 200, body = Pong), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn ping(InTenant { tenant, .. }: InTenant) -> Json<Pong> {
    Json(Pong {
        message: "pong",
        tenant: tenant.slug.clone(),
    })
}

/// The state of the tenant and the version of the product.
#[utoipa::path(get, path = "/api/status", tag = "api", responses(
    (status = 200, body = TenantStatus), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn status(
    State(app): State<App>,
    InTenant { tenant, .. }: InTenant,
) -> Json<TenantStatus> {
    Json(TenantStatus {
        status: "ok",
        tenant: tenant.slug.clone(),
        version: env!("CARGO_PKG_VERSION"),
        time: app.clock.now(),
    })
}
