//! The matrix finds what it is for: routes made for these tests, each with one fault.
//!
//! Each is a copy of a route of the product, which it asks behind the scenes.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Router, body::Body, routing::get};
use http::Request;
use serde_json::{Value, json};
use testkit::{
    Client, TestApp,
    app::SCOPES,
    matrix::{Makers, Matrix},
};
use tokio::sync::Mutex;

use crate::isolation::makers;

/// What is wrong with a copy.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    NoGuard,
    AnotherTenantsRows,
    AnyId,
    NoScope,
    NoRole,
}

/// A copy of a route of the product.
struct Copied {
    path: &'static str,
    original: &'static str,
    /// Opens to anybody who may call the original but for what is left out here.
    probe: &'static str,
}

const MEMOS: Copied = Copied {
    path: "/api/memos/{id}",
    original: "/api/notes/{id}",
    probe: "/api/protected",
};

const PEOPLE: Copied = Copied {
    path: "/tenants/people/{id}",
    original: "/tenants/users/{id}",
    probe: "/tenants/info",
};

struct Copy {
    app: Arc<TestApp>,
    copied: &'static Copied,
    fault: Fault,
    tenants: Mutex<BTreeMap<String, Client>>,
}

impl Copy {
    /// A tenant's owner, with every right.
    async fn owner(&self, slug: &str) -> Client {
        let mut tenants = self.tenants.lock().await;
        if let Some(client) = tenants.get(slug) {
            return client.clone();
        }
        let client = self.app.tenant(slug).owner_token(SCOPES).await;
        tenants.insert(slug.to_owned(), client.clone());
        client
    }

    async fn answer(&self, request: Request<Body>) -> axum::response::Response {
        let mut caller = Client::new(self.app.router());
        for name in ["x-tenant-slug", "cookie", "authorization"] {
            if let Some(value) = request.headers().get(name) {
                caller = caller.with(name, value.to_str().unwrap());
            }
        }
        let slug = request.headers()["x-tenant-slug"]
            .to_str()
            .unwrap()
            .to_owned();
        let (prefix, _) = self.copied.path.split_once("{id}").unwrap();
        let id = request.uri().path().strip_prefix(prefix).unwrap();
        let path = self.copied.original.replace("{id}", id);
        let owner = self.owner(&slug).await;
        let probed = caller.get(self.copied.probe).await;
        let member = probed.status == 200
            && (self.copied.probe != PEOPLE.probe || probed.json()["member"].is_object());
        let answer = match self.fault {
            Fault::None => caller.get(&path).await,
            Fault::NoGuard => owner.get(&path).await,
            _ if !member => caller.get(&path).await,
            Fault::NoScope | Fault::NoRole => owner.get(&path).await,
            Fault::AnyId => match caller.get(&path).await {
                answer if answer.status == 404 => owner.get("/api/ping").await,
                answer => answer,
            },
            Fault::AnotherTenantsRows => {
                let mut answer = caller.get(&path).await;
                let all: Vec<_> = self.tenants.lock().await.values().cloned().collect();
                for other in all {
                    if answer.status == 404 {
                        answer = other.get(&path).await;
                    }
                }
                answer
            }
        };
        let mut response = axum::response::Response::new(Body::from(answer.body));
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        response
    }
}

#[allow(clippy::disallowed_methods, reason = "the product has no such route")]
/// The product with a copy of one route, and its description with that route alone.
fn router(app: &Arc<TestApp>, copied: &'static Copied, fault: Fault) -> Router {
    let copy = Arc::new(Copy {
        app: Arc::clone(app),
        copied,
        fault,
        tenants: Mutex::default(),
    });
    let handler = move |request| {
        let copy = Arc::clone(&copy);
        async move { copy.answer(request).await }
    };
    Router::new()
        .route(copied.path, get(handler))
        .fallback_service(app.router())
}

fn description(app: &TestApp, copied: &Copied) -> Value {
    let whole = serde_json::to_value(&app.api).unwrap();
    let original = &whole["paths"][copied.original]["get"];
    json!({"paths": {copied.path: {"get": original}}, "components": whole["components"]})
}

fn known() -> Makers {
    makers()
        .id("/api/memos/{id}", |home| {
            Box::pin(crate::isolation::note(home))
        })
        .id("/tenants/people/{id}", |home| {
            Box::pin(crate::isolation::user(home, "id"))
        })
}

async fn found(copied: &'static Copied, fault: Fault) -> Vec<String> {
    let app = Arc::new(TestApp::start().await);
    let matrix = Matrix {
        app: &app,
        router: router(&app, copied, fault),
        api: description(&app, copied),
        served: vec![copied.path.to_owned()],
        public: &[],
        makers: known(),
    };
    assert_eq!(matrix.faults_of_description(), [""; 0]);
    matrix.faults(|_| true).await
}

#[tokio::test]
async fn a_copy_without_a_fault_passes() {
    assert_eq!(found(&MEMOS, Fault::None).await, [""; 0]);
    assert_eq!(found(&PEOPLE, Fault::None).await, [""; 0]);
}

#[tokio::test]
async fn a_guard_that_is_missing_is_found() {
    let faults = found(&MEMOS, Fault::NoGuard).await;
    has(
        &faults,
        "GET /api/memos/{id}: without credentials: 200, not 401",
    );
    has(
        &faults,
        "GET /api/memos/{id}: an operator's token: 200, not 401",
    );
}

#[tokio::test]
async fn rows_of_another_tenant_are_found() {
    let faults = found(&MEMOS, Fault::AnotherTenantsRows).await;
    has(
        &faults,
        "GET /api/memos/{id}: id (Path): another tenant's is answered 200",
    );
}

#[tokio::test]
async fn an_id_that_does_not_matter_is_found() {
    let faults = found(&MEMOS, Fault::AnyId).await;
    has(
        &faults,
        "GET /api/memos/{id}: id (Path): another tenant's is answered 200",
    );
}

#[tokio::test]
async fn a_scope_that_nobody_asks_for_is_found() {
    let faults = found(&MEMOS, Fault::NoScope).await;
    has(
        &faults,
        "GET /api/memos/{id}: a token without scope read: 200, not 403",
    );
}

#[tokio::test]
async fn a_role_that_nobody_asks_for_is_found() {
    let faults = found(&PEOPLE, Fault::NoRole).await;
    has(
        &faults,
        "GET /tenants/people/{id}: a session of role user: 200, not 403",
    );
}

/// A vacuous id is one that is made wrongly, too: the request at home is answered 404.
#[tokio::test]
async fn an_id_of_something_else_is_found() {
    let app = TestApp::start().await;
    let wrong = makers().id("/api/notes/{id}", |home| {
        Box::pin(crate::isolation::user(home, "id"))
    });
    let faults = Matrix::of(&app, &[], wrong)
        .faults(|one| one.name == "GET /api/notes/{id}")
        .await;
    has(&faults, "GET /api/notes/{id}: id (Path): home's own: 404");
}

#[tokio::test]
async fn a_route_without_description_maker_or_guard_is_found() {
    let app = Arc::new(TestApp::start().await);
    let mut api = description(&app, &MEMOS);
    let faults = |api: &Value, makers| {
        Matrix {
            app: &app,
            router: app.router(),
            api: api.clone(),
            served: vec![MEMOS.path.to_owned(), "/api/hidden".to_owned()],
            public: &[("GET", "/api/nothing")],
            makers,
        }
        .faults_of_description()
    };
    has(
        &faults(&api, makers()),
        "no way is registered to make id (Path)",
    );
    has(
        &faults(&api, known()),
        "/api/hidden: served without a description",
    );
    has(
        &faults(&api, known()),
        "GET /api/nothing: public, and not there",
    );
    api["paths"][MEMOS.path]["get"]["security"] = json!(null);
    has(
        &faults(&api, known()),
        "it has no guard, and is not in the list of public routes",
    );
}

#[track_caller]
fn has(faults: &[String], expected: &str) {
    assert!(
        faults.iter().any(|fault| fault.contains(expected)),
        "{expected:?} is not among {faults:#?}"
    );
}
