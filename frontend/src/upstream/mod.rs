//! The planes, asked over HTTP on a visitor's behalf.
//!
//! A plane's refusal comes back as a [`PlaneError`], and so does its silence. Redirects are not
//! followed, proxies of the environment not used, and no answer is read beyond a limit.

mod control;
mod data;
mod plane_error;

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, header};
use reqwest::Client;
use serde::de::DeserializeOwned;
use serde_json::Value;
use service::settings::Network;
use url::Url;

pub(crate) use control::{NewTenant, Offer, OfferedPlan, Registered};
pub(crate) use data::{Credentials, Info, Member, NewUser, SessionChange, Stats};
pub(crate) use plane_error::PlaneError;

use crate::{StartError, settings::Settings, visitor::Visitor};

const CONNECT_PATIENCE: Duration = Duration::from_secs(3);
const LARGEST_ANSWER: usize = 1024 * 1024;

/// Both planes.
pub(crate) struct Upstream {
    pub(crate) control: Plane,
    pub(crate) data: Plane,
}

/// One plane.
#[derive(Clone)]
pub(crate) struct Plane {
    client: Client,
    base: String,
}

/// A plane's consent.
pub(crate) struct Answer {
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Upstream {
    pub(crate) fn new(settings: &Settings, network: &Network) -> Result<Self, StartError> {
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(settings.plane_timeout_seconds))
            .connect_timeout(CONNECT_PATIENCE)
            .pool_idle_timeout(Duration::from_secs(network.kept_seconds()))
            .build()?;
        let plane = |url: &Url| Plane {
            client: client.clone(),
            base: url.as_str().trim_end_matches('/').to_owned(),
        };
        Ok(Self {
            control: plane(settings.control_plane()),
            data: plane(settings.data_plane()),
        })
    }
}

impl Plane {
    /// Whether the plane's process answers.
    pub(crate) async fn answers(&self) -> bool {
        let answer = self
            .client
            .get(format!("{}/health/live", self.base))
            .send()
            .await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    pub(crate) async fn get(&self, headers: HeaderMap, path: &str) -> Result<Answer, PlaneError> {
        self.send(self.request(Method::GET, headers, path)).await
    }

    async fn post(
        &self,
        headers: HeaderMap,
        path: &str,
        body: &Value,
    ) -> Result<Answer, PlaneError> {
        self.send(self.request(Method::POST, headers, path).json(body))
            .await
    }

    fn request(&self, method: Method, headers: HeaderMap, path: &str) -> reqwest::RequestBuilder {
        let json = HeaderValue::from_static("application/json, application/problem+json");
        self.client
            .request(method, format!("{}{path}", self.base))
            .headers(headers)
            .header(header::ACCEPT, json)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, PlaneError> {
        let mut response = request
            .send()
            .await
            .map_err(|cause| PlaneError::unreachable(&cause))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|cause| PlaneError::unreachable(&cause))?
        {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(PlaneError::unreachable(&"the answer is too large"));
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_success() {
            Ok(Answer { headers, body })
        } else {
            Err(PlaneError::read(status, &headers, &body))
        }
    }
}

impl Answer {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, PlaneError> {
        serde_json::from_slice(&self.body).map_err(|cause| PlaneError::unreachable(&cause))
    }

    /// The cookies of a session and a device that the plane sets. Others are not ours to pass on.
    fn cookies(&self) -> Vec<HeaderValue> {
        let known = |value: &&HeaderValue| {
            let text = value.to_str().unwrap_or_default();
            let name = text.split('=').next().unwrap_or_default();
            Visitor::COOKIES.contains(&name.trim_start_matches("__Host-"))
        };
        self.headers
            .get_all(header::SET_COOKIE)
            .iter()
            .filter(known)
            .cloned()
            .collect()
    }
}
