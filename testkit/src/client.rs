//! Requests to a [`TestApp`](crate::TestApp), and what comes back.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

/// Somebody who sends requests: as whom, and to which tenant, is in the headers of each.
#[derive(Clone)]
pub struct Client {
    router: Router,
    headers: HeaderMap,
    peer: Option<IpAddr>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as it came.
    pub body: Vec<u8>,
}

impl Client {
    /// A client that says nothing of itself.
    #[must_use]
    pub fn new(router: Router) -> Self {
        Self {
            router,
            headers: HeaderMap::new(),
            peer: None,
        }
    }

    /// The same, with a header on every request.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        self.with_bytes(name, value.as_bytes())
    }

    /// The same, with a header that need not be a text.
    #[must_use]
    pub fn with_bytes(mut self, name: &str, value: &[u8]) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        self.headers
            .insert(name, HeaderValue::from_bytes(value).unwrap());
        self
    }

    /// The same, from this address.
    #[must_use]
    pub fn at(mut self, address: IpAddr) -> Self {
        self.peer = Some(address);
        self
    }

    /// The same, without a header.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// The same, with a bearer token in place of what it had.
    #[must_use]
    pub fn with_token(self, token: &str) -> Self {
        self.without("cookie")
            .with("authorization", &format!("Bearer {token}"))
    }

    /// The same, by HTTP Basic in place of what it had.
    #[must_use]
    pub fn with_basic(self, id: &str, secret: &str) -> Self {
        let pair = STANDARD.encode(format!("{id}:{secret}"));
        self.without("cookie")
            .with("authorization", &format!("Basic {pair}"))
    }

    /// The same, asking another router.
    #[must_use]
    pub fn through(mut self, router: Router) -> Self {
        self.router = router;
        self
    }

    /// The bearer token that it sends.
    #[must_use]
    pub fn token(&self) -> String {
        let value = self.headers[header::AUTHORIZATION].to_str().unwrap();
        value.strip_prefix("Bearer ").unwrap().to_owned()
    }

    /// The cookies that it sends.
    #[must_use]
    pub fn cookie(&self) -> String {
        self.headers[header::COOKIE].to_str().unwrap().to_owned()
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, Vec::new()).await
    }

    /// Waits until `GET` of a path has a status: for what reaches other processes within a second.
    pub async fn eventually(&self, path: &str, status: u16) {
        let patience = Duration::from_secs(10);
        let asked = async {
            while self.get(path).await.status.as_u16() != status {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(patience, asked).await.is_err() {
            let last = self.get(path).await;
            panic!(
                "{path} is still not {status}: {} {}",
                last.status,
                last.text()
            );
        }
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, Vec::new()).await
    }

    /// `POST` of JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.json(Method::POST, path, &body).await
    }

    /// `PUT` of JSON.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PUT, path, &body).await
    }

    /// `PATCH` of JSON.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PATCH, path, &body).await
    }

    /// Any method, with JSON.
    pub async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        let body = body.to_string().into_bytes();
        self.send(method, path, Some("application/json"), body)
            .await
    }

    /// `POST` of a form.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let encode = |text: &str| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
            let one = |b: u8| {
                if plain(b) {
                    (b as char).to_string()
                } else {
                    format!("%{b:02X}")
                }
            };
            text.bytes().map(one).collect::<String>()
        };
        let pairs: Vec<_> = fields
            .iter()
            .map(|(key, value)| format!("{}={}", encode(key), encode(value)))
            .collect();
        let form = Some("application/x-www-form-urlencoded");
        self.send(Method::POST, path, form, pairs.join("&").into_bytes())
            .await
    }

    /// Any request. A request without a host goes to the platform's.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: Vec<u8>,
    ) -> Answer {
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().unwrap();
        let headers = request.headers_mut();
        headers.insert(header::HOST, HeaderValue::from_static("localhost:8080"));
        headers.extend(self.headers.clone());
        if let Some(content_type) = content_type {
            headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        }
        self.raw(request).await
    }

    /// A request as it is.
    pub async fn raw(&self, mut request: Request<Body>) -> Answer {
        if let Some(address) = self.peer {
            let peer = ConnectInfo(SocketAddr::from((address, 1)));
            request.extensions_mut().insert(peer);
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }
}

impl Answer {
    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {} {:?}", self.status, self.text()))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value; empty without one.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// What kind of problem it is: the last segment of its type, or the code of an OAuth error that
    /// is a kind of its own.
    #[must_use]
    pub fn problem(&self) -> String {
        let body = self.json();
        let text = |member: &str| body[member].as_str().unwrap_or_default().to_owned();
        let (kind, code) = (text("type").replace("/problems/", ""), text("error"));
        let coded = kind.starts_with("invalid-") || kind.starts_with("un");
        if coded && kind.replace('-', "_") == code {
            code
        } else {
            kind
        }
    }

    /// The same answer, if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }
}
