//! `GET /openapi.json`: both planes' descriptions as one, for the gateway, behind which they are
//! one API. Where both planes are one process, each describes the whole already.

use axum::extract::State;
use http::HeaderMap;
use service::Json;
use utoipa::openapi::OpenApi;

use crate::{
    site::Site,
    upstream::{Plane, Refusal},
};

/// The description of everything that the API serves.
pub(crate) async fn show(State(site): State<Site>) -> Result<Json<OpenApi>, Refusal> {
    let (data, control) = tokio::join!(
        site.upstream.data.description(),
        site.upstream.control.description()
    );
    let mut whole = data?;
    whole.merge(control?);
    Ok(Json(whole))
}

impl Plane {
    /// What the plane serves.
    async fn description(&self) -> Result<OpenApi, Refusal> {
        self.get(HeaderMap::new(), "/openapi.json").await?.json()
    }
}
