//! Bad input, by name: none of it is our fault (5xx), and none of it loses anything.

use axum::body::Body;
use http::{Method, Request};
use serde_json::json;
use testkit::{Client, TestApp};

const BODIES: &[(&str, &str, &[u8])] = &[
    ("empty", "application/json", b""),
    ("no JSON", "application/json", b"{"),
    ("invalid UTF-8", "application/json", b"{\"title\":\"\xff\xfe\"}"),
    ("lone surrogate", "application/json", br#"{"title":"\ud800"}"#),
    ("NUL", "application/json", br#"{"title":"a\u0000b","username":"a\u0000b","tenant_name":"\u0000","client_name":"a\u0000"}"#),
    ("huge number", "application/json", b"{\"title\":1e999999}"),
    ("big integer", "application/json", b"{\"title\":123456789012345678901234567890}"),
    ("duplicate keys", "application/json", br#"{"title":"a","title":"b","username":"a","username":"b"}"#),
    ("array", "application/json", b"[]"),
    ("text", "application/json", b"\"x\""),
    ("null", "application/json", b"null"),
    ("deeply nested", "application/json", &[b'['; 10_000]),
    ("wrong types", "application/json", br#"{"title":{},"username":[],"password":true,"email":1,"role":{},"tenant_slug":[]}"#),
    ("unknown charset", "application/json; charset=utf-16", br#"{"title":"a"}"#),
    ("no content type", "", b"{}"),
    ("XML", "application/xml", b"<a/>"),
    ("multipart", "multipart/form-data; boundary=x", b"--x--"),
    ("odd content type", "application/json\t;;;===", b"{}"),
    ("form with broken escapes", "application/x-www-form-urlencoded", b"a=%zz&%=%&&&="),
    ("form of invalid UTF-8", "application/x-www-form-urlencoded", b"username=%ff%fe&grant_type=\xff"),
    ("form with NUL", "application/x-www-form-urlencoded", b"username=%00&grant_type=password&client_id=%00"),
];

/// Paths whose parameters are what nobody expects.
const PATHS: &[&str] = &[
    "/api/notes/%00",
    "/api/notes/-1",
    "/api/notes/99999999999999999999",
    "/api/notes/1.0",
    "/api/notes/%ff",
    "/api/notes/..%2f..%2fetc",
    "/api/notes/1%20OR%201=1",
    "/tenants/users/%00",
    "/tenants/users/nobody",
    "/tenants/users/%ff%fe",
    "/tenants/users/00000000-0000-0000-0000-000000000000",
    "/oauth/client/%00",
    "/oauth/client/x%27;DROP",
    "/control/v1/tenants/%00",
    "/tenants/%00/api/ping",
    "/tenants/%ff/api/ping",
    "/tenants//api/ping",
    "/api/notes?limit=%ff",
    "/api/notes?limit=1&limit=2",
    "/api/notes?cursor=%00",
    "/api/notes?q=%ff",
    "/tenants/users?is_active=maybe",
    "/tenants/users?cursor=bnVsbA",
    "/tenants/register?slug=%00",
    "/tenants/register",
    "/tenants/list?cursor=%00",
    "/tenants/list?limit=-1",
    "/oauth/client/list?cursor=WzEsIngiXQ",
];

fn routes(app: &TestApp) -> Vec<String> {
    let fill = |path: &str| {
        path.replace("{id}", "1")
            .replace("{client_id}", "x")
            .replace("{slug}", "acme")
            .replace("{hostname}", "a.example")
    };
    app.api.paths.paths.keys().map(|path| fill(path)).collect()
}

async fn callers(app: &TestApp) -> Vec<Client> {
    let acme = app.tenant("acme");
    vec![
        acme.anonymous().await,
        acme.owner().await,
        acme.owner_token(testkit::app::SCOPES).await,
        app.operator().await,
    ]
}

#[tokio::test]
async fn no_body_is_our_fault() {
    let app = TestApp::start().await;
    for client in callers(&app).await {
        for path in routes(&app) {
            for (name, content_type, body) in BODIES {
                let kind = Some(*content_type).filter(|kind| !kind.is_empty());
                for method in [Method::POST, Method::PUT, Method::PATCH] {
                    let answer = client
                        .send(method.clone(), &path, kind, body.to_vec())
                        .await;
                    assert!(
                        answer.status.as_u16() < 500,
                        "{name}: {method} {path}: {}",
                        answer.text()
                    );
                    assert!(
                        !leaks(&answer.text()),
                        "{name}: {method} {path}: {}",
                        answer.text()
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn no_path_is_our_fault() {
    let app = TestApp::start().await;
    for client in callers(&app).await {
        for path in PATHS {
            for method in [Method::GET, Method::DELETE, Method::PATCH] {
                let answer = client.json(method.clone(), path, &json!({})).await;
                assert!(
                    answer.status.as_u16() < 500,
                    "{method} {path}: {}",
                    answer.text()
                );
                assert!(!leaks(&answer.text()), "{method} {path}: {}", answer.text());
            }
        }
    }
}

/// What an answer must never tell: SQL, paths of ours, traces.
fn leaks(text: &str) -> bool {
    [
        "SELECT ",
        "INSERT ",
        "tenant_acme.",
        "platform.",
        ".rs:",
        "panicked",
        "/home",
        "/root",
    ]
    .iter()
    .any(|word| text.contains(word))
}

#[tokio::test]
async fn odd_heads_are_refused_or_ignored() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    for (name, value) in [
        ("x-tenant-slug", "acme\u{e9}"),
        ("x-tenant-id", "\u{fe}"),
        ("host", "acme.localhost:99999"),
        ("host", "acme.localhost:port"),
        ("host", "[::1"),
        ("host", "acme localhost"),
        ("host", "münchen.localhost"),
        ("cookie", "\u{fe}=\u{ff}; tenantry_session"),
        ("cookie", "tenantry_session=%00"),
        ("authorization", "Bearer \u{fe}"),
        ("if-match", "\u{fe}"),
        ("x-request-id", "a b\u{fe}"),
        ("traceparent", "nonsense"),
        ("idempotency-key", "\u{fe}"),
    ] {
        let latin: Vec<u8> = value.chars().map(|c| c as u8).collect();
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = "/api/ping".parse().unwrap();
        let headers = request.headers_mut();
        headers.insert("host", "localhost".parse().unwrap());
        headers.insert("x-tenant-slug", "acme".parse().unwrap());
        headers.insert(name, http::HeaderValue::from_bytes(&latin).unwrap());
        let answer = acme.raw(request).await;
        assert!(
            answer.status.as_u16() < 500,
            "{name}: {value}: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn a_request_id_cannot_inject_a_header() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    let given = acme
        .clone()
        .with("x-request-id", "abc-1")
        .get("/api/ping")
        .await;
    assert_eq!(given.header("x-request-id"), "abc-1");
    let odd = acme
        .with("x-request-id", "a b;<script>")
        .get("/api/nothing")
        .await;
    assert_eq!(odd.header("x-request-id").len(), 32);
    assert_eq!(odd.json()["request_id"], odd.header("x-request-id"));
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "write").await;
    let body = json!({"title": "x", "body": "x".repeat(1_100_000)});
    assert_eq!(
        ada.post("/api/notes", body).await.expect(413).problem(),
        "body-too-large"
    );
    let body = json!({"title": "x", "body": "x".repeat(100_001)});
    assert_eq!(
        ada.post("/api/notes", body).await.expect(422).problem(),
        "validation-failed"
    );
    let body = json!({"title": "\u{1F600}".repeat(200), "body": "\u{1F600}".repeat(100_000)});
    ada.post("/api/notes", body).await.expect(201);
}

#[tokio::test]
async fn a_tenant_over_its_rate_is_told_when_to_come_back() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    let globex = app.tenant("globex").anonymous().await;
    let mut limited = None;
    for _ in 0..5_000 {
        let answer = acme.get("/api/ping").await;
        if answer.status == 429 {
            limited = Some(answer);
            break;
        }
    }
    let limited = limited.expect("a plan of 500 requests per second lets 5,000 at once through");
    assert_eq!(limited.problem(), "rate-limited");
    assert!(
        limited.headers.contains_key("retry-after") && limited.headers.contains_key("ratelimit")
    );
    globex.get("/api/ping").await.expect(200);
}
