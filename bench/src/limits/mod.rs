//! The limit server: what axum and tokio-postgres can do on this machine with nothing else in the
//! way. No tokens, no rate limits, no request ids, no errors worth reading.
//!
//! It runs as a process of its own, so that its memory and CPU are its own, and it reads the very
//! schemas that the product made, under the same roles and the same login. A row that leaves out
//! the role or the path is not tenant-safe and is never what the product is measured against.

mod connection;
mod notes;
mod tenants;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc};

use anyhow::Context;
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
    serve::ListenerExt,
};
use clap::Args;
use tokio::net::TcpListener;

use connection::{Plan, Pool};
pub(crate) use notes::SINGLE_ROWS;
use tenants::Tenant;

/// Tables of the limits' own, outside every tenant.
pub(crate) const SINGLE_SCHEMA: &str = "bench_single";

/// How the limit server is started.
#[derive(Args, Debug)]
pub(crate) struct Settings {
    /// Port on loopback
    #[arg(long)]
    port: u16,
    /// The data plane's login
    #[arg(long)]
    database_url: String,
    /// Connections in all, shared or dealt out to lanes
    #[arg(long, default_value_t = 8)]
    connections: usize,
}

/// What every request of the limit server may use.
struct Limits {
    shared: Pool,
    /// One connection each; a tenant always takes the same.
    lanes: Vec<Pool>,
    tenants: HashMap<String, Tenant>,
}

/// Serves until the process is ended.
pub(crate) fn serve(settings: &Settings) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("a runtime")?;
    runtime.block_on(async {
        let limits = Arc::new(Limits::new(settings).await?);
        let listener = TcpListener::bind(("127.0.0.1", settings.port)).await?;
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, router(limits))
            .await
            .context("serving")
    })
}

fn router(limits: Arc<Limits>) -> Router {
    Router::new()
        .route(
            "/static",
            get(async || json(r#"{"message":"hello","service":"limit"}"#.into())),
        )
        .route("/key", get(by_key))
        .route(
            "/shared",
            get(async |s, h| notes_of(s, h, Plan::Shared, false).await),
        )
        .route(
            "/own",
            get(async |s, h| notes_of(s, h, Plan::PerTenant, false).await),
        )
        .route(
            "/shared-lanes",
            get(async |s, h| notes_of(s, h, Plan::Shared, true).await),
        )
        .route(
            "/own-lanes",
            get(async |s, h| notes_of(s, h, Plan::PerTenant, true).await),
        )
        .with_state(limits)
}

impl Limits {
    async fn new(settings: &Settings) -> anyhow::Result<Self> {
        let pool = |size| connection::pool(&settings.database_url, size);
        let shared = pool(settings.connections)?;
        let lanes = (0..settings.connections)
            .map(|_| pool(1))
            .collect::<Result<Vec<_>, _>>()?;
        let tenants = {
            let connection = shared.get().await.map_err(Failure::from)?;
            tenants::load(connection.client(), lanes.len()).await?
        };
        Ok(Self {
            shared,
            lanes,
            tenants,
        })
    }

    fn tenant(&self, headers: &HeaderMap) -> Option<&Tenant> {
        self.tenants
            .get(headers.get("x-tenant-slug")?.to_str().ok()?)
    }
}

/// One row of one table in one schema by its key: no tenant, no transaction.
async fn by_key(State(limits): State<Arc<Limits>>) -> Result<Response, Failure> {
    let mut connection = limits.shared.get().await?;
    let row = connection.by_key(notes::any_key()).await?;
    Ok(json(notes::one(&row)?))
}

/// A page of notes in a transaction that asserts the tenant's role and path, in one flight.
async fn notes_of(
    State(limits): State<Arc<Limits>>,
    headers: HeaderMap,
    plan: Plan,
    lanes: bool,
) -> Result<Response, Failure> {
    let tenant = limits
        .tenant(&headers)
        .ok_or(Failure("no such tenant".to_owned()))?;
    let pool = if lanes {
        &limits.lanes[tenant.lane]
    } else {
        &limits.shared
    };
    let mut connection = pool.get().await?;
    let rows = connection
        .in_tenant(tenant, plan, &notes::first_page())
        .await?;
    drop(connection);
    Ok(json(notes::page(&rows)?))
}

fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Anything that went wrong. The bench counts it and marks the row invalid.
#[derive(Debug)]
struct Failure(String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(format!("{error}: {:?}", error.source()))
    }
}

impl From<Failure> for anyhow::Error {
    fn from(failure: Failure) -> Self {
        Self::msg(failure.0)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.0).into_response()
    }
}
