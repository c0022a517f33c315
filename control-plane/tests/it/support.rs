//! The control plane on a database of the test's own, and short words for talking to it.

use std::net::SocketAddr;

use argon2::Params;
use axum::{Router, body::Body, extract::ConnectInfo};
use control_plane::{Actor, ControlPlane, Lifetime, NewToken, Settings};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use service::{
    Clock, Entropy, layers,
    password::Hasher,
    settings::{Addresses, Network, defaults},
};
use testkit::{
    database::{TestDatabase, connect},
    wait::until,
};
use tokio_postgres::Client;
use tower::ServiceExt;

pub(crate) struct TestApp {
    pub(crate) plane: ControlPlane,
    pub(crate) clock: Clock,
    router: Router,
    operator: String,
    // Dropped last: it takes the database away.
    pub(crate) database: TestDatabase,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The kind of problem that it is.
    pub(crate) fn problem(&self) -> String {
        let media_type = &self.headers[header::CONTENT_TYPE];
        assert_eq!(media_type, "application/problem+json", "{}", self.text);
        let body = self.json();
        assert_eq!(body["status"], self.status.as_u16());
        body["type"].as_str().unwrap().replace("/problems/", "")
    }

    /// The fields that it finds fault with.
    pub(crate) fn faulty(&self) -> Vec<String> {
        let body = self.json();
        let errors = body["errors"].as_object().cloned().unwrap_or_default();
        errors.keys().cloned().collect()
    }
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::with(|_| ()).await
    }

    /// With other settings than the usual.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let database = TestDatabase::create().await.unwrap();
        let mut settings: Settings = defaults();
        change(&mut settings);
        let (clock, entropy) = (Clock::movable(), Entropy::system().unwrap());
        let cheap = Params::new(8, 1, 1, None).unwrap();
        let hasher = Hasher::with_params(entropy.clone(), cheap).unwrap();
        let addresses = Addresses::default();
        let plane = ControlPlane::new(
            &settings,
            &addresses,
            &database.control(),
            hasher,
            clock.clone(),
            entropy.clone(),
        )
        .unwrap();
        let token = NewToken {
            name: "tests".to_owned(),
            lifetime: Lifetime::Never,
        };
        let made = plane.create_token(token, &Actor::CommandLine).await;
        let (operator, _) = made.unwrap();
        let (router, _) = plane.router().split_for_parts();
        Self {
            plane,
            clock,
            router: layers::wrap_api(router, &addresses, &Network::default(), &entropy),
            operator: format!("Bearer {}", operator.expose_secret()),
            database,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let mut request = request;
        let peer = SocketAddr::from(([127, 0, 0, 1], 4000));
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    /// A call with the operator's token.
    pub(crate) async fn operate(&self, method: &str, path: &str) -> Answer {
        self.operate_with(method, path, &Value::Null).await
    }

    /// The same with a body.
    pub(crate) async fn operate_with(&self, method: &str, path: &str, body: &Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("/control/v1{path}"))
            .header(header::AUTHORIZATION, &self.operator)
            .header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    /// Makes a tenant with the token of an operator's `Authorization` header.
    pub(crate) async fn operate_with_key(
        &self,
        authorization: &str,
        application: &Value,
        key: Option<&str>,
    ) -> Answer {
        let mut request = Request::post("/control/v1/tenants")
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.send(request.body(Body::from(application.to_string())).unwrap())
            .await
    }

    /// The value of another operator's `Authorization` header.
    pub(crate) async fn another_operator(&self, name: &str) -> String {
        let new = NewToken {
            name: name.to_owned(),
            lifetime: Lifetime::default(),
        };
        let made = self.plane.create_token(new, &Actor::CommandLine).await;
        format!("Bearer {}", made.unwrap().0.expose_secret())
    }

    /// The value of the operator's `Authorization` header.
    pub(crate) fn operator(&self) -> &str {
        &self.operator
    }

    pub(crate) async fn register(&self, application: &Value) -> Answer {
        self.register_with(application, None).await
    }

    pub(crate) async fn register_with(&self, application: &Value, key: Option<&str>) -> Answer {
        let mut request =
            Request::post("/tenants/register").header(header::CONTENT_TYPE, "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.send(request.body(Body::from(application.to_string())).unwrap())
            .await
    }

    /// Signs a tenant up that a test needs to be there.
    pub(crate) async fn tenant(&self, slug: &str) -> Value {
        let answer = self.register(&application(slug)).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()
    }

    pub(crate) async fn admin(&self) -> Client {
        connect(&self.database.admin()).await.unwrap()
    }

    /// Waits until somebody's statement waits for a lock.
    pub(crate) async fn until_blocked(&self) {
        let blocked = "SELECT count(*) FROM pg_stat_activity \
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        until("a statement waits", async || self.count(blocked).await > 0).await;
    }

    /// One number that the database's administrator reads.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        self.admin().await.query_one(sql, &[]).await.unwrap().get(0)
    }
}

/// An application without faults.
/// Runs both at once, one of them a chosen while later than the other.
pub(crate) async fn at_random<A, B>(
    entropy: &Entropy,
    one: impl Future<Output = A>,
    other: impl Future<Output = B>,
) -> (A, B) {
    let [delay, first] = entropy.bytes();
    let later = async |is_later: bool| {
        for _ in 0..if is_later { delay } else { 0 } {
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(
        async {
            later(first % 2 == 0).await;
            one.await
        },
        async {
            later(first % 2 == 1).await;
            other.await
        }
    )
}

pub(crate) fn application(slug: &str) -> Value {
    json!({
        "tenant_name": format!("The {slug} company"),
        "tenant_slug": slug,
        "admin_username": "ada",
        "admin_email": "ada@example.com",
        "admin_password": "correct horse",
    })
}

/// The same with one field changed.
pub(crate) fn application_with(slug: &str, field: &str, value: impl Into<Value>) -> Value {
    let mut application = application(slug);
    application[field] = value.into();
    application
}
