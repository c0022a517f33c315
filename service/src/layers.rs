//! The layers that every request passes, outermost first: what every answer of an API has, request id
//! and trace, metrics and log, refusal of oversized bodies and of paths that cannot be read exactly, a
//! limit of time, and panics caught.

use std::{any::Any, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

use crate::{
    answers::{Answers, Recipient},
    body::{self, read_on::read_on},
    entropy::Entropy,
    problem::{Kind, Problem},
    protocol,
    request::{ClientAddr, RequestId, X_REQUEST_ID, trace_id},
    settings::{Addresses, Network},
};

/// The longest that an answer may take, waiting for passwords to be hashed included.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

static NOSNIFF: (HeaderName, HeaderValue) = (
    header::X_CONTENT_TYPE_OPTIONS,
    HeaderValue::from_static("nosniff"),
);

#[derive(Clone)]
struct Shared {
    entropy: Entropy,
    network: Arc<Network>,
    api: Option<Api>,
}

/// What the layer of an API does beside. It is part of the one layer, since each costs every request.
#[derive(Clone)]
struct Api {
    /// Whether browsers reach it by TLS.
    secure: bool,
    answers: Answers,
}

/// A request that asks whether a page of another origin may send one (a preflight of CORS). Whoever
/// marks it adds what its answer, which is empty, lets the page do.
#[derive(Clone, Copy, Debug)]
pub struct Preflight;

/// Wraps the routes of an API.
pub fn wrap_api(
    router: Router,
    addresses: &Addresses,
    network: &Network,
    entropy: &Entropy,
) -> Router {
    let api = Api {
        secure: addresses.secure(),
        answers: Answers::default(),
    };
    layered(router, network, entropy, Some(api))
}

/// Wraps a service's routes.
pub fn wrap(router: Router, network: &Network, entropy: &Entropy) -> Router {
    layered(router, network, entropy, None)
}

fn layered(router: Router, network: &Network, entropy: &Entropy, api: Option<Api>) -> Router {
    let shared = Shared {
        entropy: entropy.clone(),
        network: Arc::new(network.clone()),
        api,
    };
    router
        .fallback(async || Problem::new(Kind::NotFound).detail("There is nothing at this path."))
        .method_not_allowed_fallback(async || Problem::new(Kind::MethodNotAllowed))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(shared, around))
}

impl Api {
    /// Passes a request on, and its answer in pieces that count as under way at whomever it is for.
    async fn run(&self, mut request: Request, next: Next) -> Response {
        let recipient = Recipient::default();
        request.extensions_mut().insert(recipient.clone());
        let response = next.run(request).await;
        self.answers.send(&recipient, response).await
    }

    /// What every answer of an API has, whoever gives it. Nothing is stored unless its handler says
    /// otherwise: an answer may hold a secret, and one that does cannot forget to say so.
    fn complete(&self, protocol: bool, response: Response) -> Response {
        let mut response = match protocol {
            true => protocol::refusal(response),
            false => response,
        };
        let headers = response.headers_mut();
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
        if self.secure {
            let year = HeaderValue::from_static("max-age=31536000");
            headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
        }
        response
    }
}

async fn around(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let body = read_on(body);
    let id = RequestId::of(&parts.headers, &shared.entropy);
    let client = ClientAddr::of(&parts, &shared.network);
    parts.extensions.insert(client);
    let route = parts.extensions.get::<MatchedPath>().cloned();
    let method = parts.method.clone();
    // Whatever is logged within carries the id, so that no filter may drop the span.
    let span = tracing::error_span!(
        "request",
        request_id = id.as_str(),
        trace_id = trace_id(&parts.headers),
        %method,
        route = route.as_ref().map(MatchedPath::as_str),
    );
    let oversized = declared_length(&parts.headers) > body::LIMIT as u64;
    let preflight = parts.extensions.get::<Preflight>().is_some();
    let protocol = protocol::is_protocol(parts.uri.path());
    let header = id.header();
    let started = tokio::time::Instant::now();
    let answer = async {
        if oversized {
            return body::too_large().into_response();
        }
        if !is_exact(parts.uri.path()) {
            let detail = "The path: it is not percent-encoded UTF-8, or holds NUL.";
            return Problem::new(Kind::MalformedRequest)
                .detail(detail)
                .into_response();
        }
        if preflight {
            return StatusCode::NO_CONTENT.into_response();
        }
        let request = Request::from_parts(parts, body);
        let running = async {
            match &shared.api {
                Some(api) => api.run(request, next).await,
                None => next.run(request).await,
            }
        };
        match tokio::time::timeout(ANSWER_TIMEOUT, running).await {
            Ok(response) => response,
            Err(_) => Problem::new(Kind::Unavailable)
                .retry_after(5)
                .into_response(),
        }
    };
    let mut response = id.scope(answer.instrument(span.clone())).await;
    let headers = response.headers_mut();
    headers.insert(X_REQUEST_ID.clone(), header);
    headers.insert(NOSNIFF.0.clone(), NOSNIFF.1.clone());
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    span.in_scope(|| observe(&method, route, &response, started.elapsed()));
    match &shared.api {
        Some(api) => api.complete(protocol, response),
        None => response,
    }
}

/// Whether a path can be decoded exactly, and what it names can be looked up in PostgreSQL: here,
/// so that no route has to ask.
fn is_exact(path: &str) -> bool {
    if !path.contains('%') {
        return true;
    }
    let path = body::form::decode_percent(path.as_bytes());
    path.is_some_and(|path| !path.contains('\0'))
}

fn declared_length(headers: &http::HeaderMap) -> u64 {
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    length.and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn observe(method: &Method, route: &str, response: &Response, took: Duration) {
    let status = response.status();
    let labels = [
        ("method", method_label(method).to_owned()),
        ("route", route.to_owned()),
        ("status", status.as_str().to_owned()),
    ];
    metrics::histogram!("http_request_seconds", &labels).record(took.as_secs_f64());
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    if status.is_server_error() {
        tracing::warn!(status = status.as_u16(), micros, "answered");
    } else if status.is_client_error() {
        tracing::info!(status = status.as_u16(), micros, "answered");
    } else {
        tracing::debug!(status = status.as_u16(), micros, "answered");
    }
}

/// Unusual methods share one label, so that nobody can make up endless time series.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that CatchPanicLayer asks for"
)]
fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let text = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("unknown");
    Problem::internal(&format_args!("panicked: {text}")).into_response()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::Body;
    use http_body_util::BodyExt;
    use tower::{ServiceExt, service_fn};

    use super::*;

    async fn ask(url: &str, path: &str) -> (http::HeaderMap, serde_json::Value) {
        let fails =
            service_fn(async |_: Request| -> Result<Response, Infallible> { panic!("on purpose") });
        let router = Router::new()
            .route_service("/oauth/fails", fails)
            .route_service("/api/fails", fails);
        let addresses = Addresses {
            api_public_url: Some(url.parse().unwrap()),
            ..Addresses::default()
        };
        let router = wrap_api(router, &addresses, &Network::default(), &Entropy::seeded(1));
        let request = Request::get(path).body(Body::empty()).unwrap();
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        assert_eq!(parts.status, StatusCode::INTERNAL_SERVER_ERROR);
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts.headers, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn what_panics_is_refused_as_its_path_wants_it() {
        let (headers, body) = ask("http://localhost", "/oauth/fails").await;
        assert_eq!(headers[header::CONTENT_TYPE], "application/json");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(body["error"], "server_error");
        assert_eq!(body["type"], "/problems/internal");
        assert!(body["request_id"].is_string());

        let (headers, body) = ask("http://localhost", "/api/fails").await;
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
        assert!(body.get("error").is_none());
    }

    #[tokio::test]
    async fn browsers_are_told_to_stay_with_tls_where_there_is_any() {
        let (headers, _) = ask("https://api.example", "/api/fails").await;
        assert_eq!(
            headers[header::STRICT_TRANSPORT_SECURITY],
            "max-age=31536000"
        );
        let (headers, _) = ask("http://localhost", "/api/fails").await;
        assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
    }
}
