//! Liveness and readiness.
//!
//! `/health/live` answers while the process runs; `/health/ready` asks every part the service
//! needs, and says no once a stop was asked for; `/health` is an alias of ready.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::body::Json;

const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

type Check = dyn Fn() -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync;

/// What a service needs in order to be ready.
#[derive(Clone, Default)]
pub struct Health {
    checks: Vec<(&'static str, Arc<Check>)>,
    draining: Arc<AtomicBool>,
}

/// A service's word on itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct Report {
    /// `ok`, `unavailable` or `draining`.
    pub status: &'static str,
    /// The parts that do not answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failing: Vec<&'static str>,
}

impl Health {
    /// Adds a part that must answer yes within two seconds.
    #[must_use]
    pub fn needs<F>(
        mut self,
        part: &'static str,
        check: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = bool> + Send + 'static,
    {
        self.checks
            .push((part, Arc::new(move || Box::pin(check()))));
        self
    }

    /// Joins the needs of two services that share a process.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.checks.extend(other.checks.iter().cloned());
        self
    }

    /// From now on the service is not ready, so that a balancer looks elsewhere.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// The three routes.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> OpenApiRouter<S> {
        OpenApiRouter::new()
            .routes(routes!(live))
            .routes(routes!(ready))
            .routes(routes!(health))
            .with_state(self.clone())
    }

    /// How the service is now: every part is asked.
    pub async fn report(&self) -> Report {
        if self.draining.load(Ordering::Relaxed) {
            metrics::gauge!("service_ready").set(0.0);
            return Report {
                status: "draining",
                failing: Vec::new(),
            };
        }
        let mut failing = Vec::new();
        for (part, check) in &self.checks {
            if tokio::time::timeout(CHECK_TIMEOUT, check()).await != Ok(true) {
                failing.push(*part);
            }
        }
        metrics::gauge!("service_ready").set(if failing.is_empty() { 1.0 } else { 0.0 });
        Report {
            status: if failing.is_empty() {
                "ok"
            } else {
                "unavailable"
            },
            failing,
        }
    }
}

impl IntoResponse for Report {
    fn into_response(self) -> Response {
        let ok = self.status == "ok";
        let status = if ok {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        (status, Json(self)).into_response()
    }
}

/// The process runs.
#[utoipa::path(get, path = "/health/live", tag = "health", operation_id = "get_health_live",
    responses((status = 200, body = Report, description = "The process runs")))]
async fn live() -> Report {
    Report {
        status: "ok",
        failing: Vec::new(),
    }
}

/// Everything that the service needs answers.
#[utoipa::path(get, path = "/health/ready", tag = "health", operation_id = "get_health_ready", responses(
    (status = 200, body = Report, description = "Everything answers"),
    (status = 503, body = Report, description = "Something does not; `failing` names it")))]
async fn ready(State(health): State<Health>) -> Report {
    health.report().await
}

/// Alias of `/health/ready`.
#[utoipa::path(get, path = "/health", tag = "health", operation_id = "get_health", responses(
    (status = 200, body = Report, description = "Everything answers"),
    (status = 503, body = Report, description = "Something does not; `failing` names it")))]
async fn health(State(health): State<Health>) -> Report {
    health.report().await
}
