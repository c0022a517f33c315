//! `GET /openapi.json`: both planes' descriptions as one, for the gateway, behind which they are
//! one API. Where both planes are one process, each describes the whole already.

use std::time::{Duration, Instant};

use axum::{
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header};
use tokio::sync::Mutex;
use utoipa::openapi::OpenApi;

use crate::{
    site::Site,
    upstream::{Plane, PlaneError, Upstream},
};

/// Descriptions change with a new version of a plane, and putting them together is dear.
const FRESH: Duration = Duration::from_secs(60);

/// The description as it was put together last, and when.
#[derive(Default)]
pub(crate) struct Description(Mutex<Option<(Instant, Bytes)>>);

impl Description {
    /// Whoever asks while it is put together waits for that, and has it made no second time.
    async fn fresh(&self, planes: &Upstream) -> Result<Bytes, PlaneError> {
        let mut last = self.0.lock().await;
        if let Some((made, text)) = &*last
            && made.elapsed() < FRESH
        {
            return Ok(text.clone());
        }
        let text = whole(planes).await?;
        *last = Some((Instant::now(), text.clone()));
        Ok(text)
    }
}

/// The description of everything that the API serves.
pub(crate) async fn show(State(site): State<Site>) -> Result<Response, PlaneError> {
    let text = site.description.fresh(&site.upstream).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

async fn whole(planes: &Upstream) -> Result<Bytes, PlaneError> {
    let (data, control) = tokio::join!(planes.data.description(), planes.control.description());
    let mut whole = data?;
    whole.merge(control?);
    let text = serde_json::to_vec(&whole).map_err(|cause| PlaneError::unreachable(&cause))?;
    Ok(text.into())
}

impl Plane {
    /// What the plane serves.
    async fn description(&self) -> Result<OpenApi, PlaneError> {
        self.get(HeaderMap::new(), "/openapi.json").await?.json()
    }
}
