//! Requests that no form sends.

use axum::body::Body;
use http::{Request, header};

use crate::support::{TestApp, application_with};

async fn refused(app: &TestApp, body: impl Into<Body>) -> String {
    let request = Request::post("/tenants/register")
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.into())
        .unwrap();
    let answer = app.send(request).await;
    assert!(answer.status.is_client_error(), "{}", answer.text);
    answer.problem()
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_told_apart() {
    let app = TestApp::start().await;
    assert_eq!(refused(&app, "").await, "malformed-request");
    assert_eq!(
        refused(&app, "{\"tenant_name\":").await,
        "malformed-request"
    );
    assert_eq!(
        refused(&app, &b"{\"tenant_name\":\"\xff\"}"[..]).await,
        "malformed-request"
    );
    assert_eq!(
        refused(&app, "{\"tenant_slug\":\"a\",\"tenant_slug\":\"b\"}").await,
        "malformed-request"
    );
    assert_eq!(refused(&app, "[]").await, "validation-failed");
    assert_eq!(refused(&app, "{}").await, "validation-failed");
    assert_eq!(
        refused(&app, vec![b' '; 2 * 1024 * 1024]).await,
        "body-too-large"
    );
    assert_eq!(refused(&app, "[".repeat(10_000)).await, "malformed-request");
}

#[tokio::test]
async fn nul_and_strange_types_are_faults_and_no_crash() {
    let app = TestApp::start().await;
    for field in [
        "tenant_name",
        "admin_email",
        "admin_password",
        "domain",
        "plan",
    ] {
        for value in [
            serde_json::json!("a\u{0}b@example.com"),
            serde_json::json!({"a": 1}),
            serde_json::json!(7),
        ] {
            let answer = app
                .register(&application_with("acme", field, value.clone()))
                .await;
            assert_eq!(answer.status, 422, "{field} {value}");
            assert_eq!(answer.faulty(), [field], "{value}");
        }
    }
}

#[tokio::test]
async fn text_that_looks_like_sql_is_text() {
    let app = TestApp::start().await;
    let name = "Robert'); DROP SCHEMA platform CASCADE; --";
    let made = app
        .register(&application_with("acme", "tenant_name", name))
        .await;
    assert_eq!(made.json()["tenant"]["name"], name);
    let refused = app
        .register(&application_with("globex", "tenant_slug", "a'; DROP--"))
        .await;
    assert_eq!(refused.faulty(), ["tenant_slug"]);
}

#[tokio::test]
async fn odd_paths_and_queries_are_the_callers_fault() {
    let app = TestApp::start().await;
    for path in [
        "/tenants/register",
        "/tenants/register?slug=%00",
        "/tenants/register?slug=%ff",
        "/tenants/list?limit=0",
        "/tenants/list?limit=ten",
        "/tenants/list?cursor=%00",
        "/tenants/list?cursor=~~~",
        "/control/v1/tenants/%00",
        "/nowhere",
    ] {
        let answer = app.get(path).await;
        assert!(!answer.status.is_server_error(), "{path}: {}", answer.text);
    }
    for path in [
        "/tenants?search=%00",
        "/tenants?status=x%00",
        "/tenants?plan=%00",
        "/tenants/%00",
        "/tenants/%ff/suspend",
        "/tenants/acme/events?before=x",
        "/tenants/acme/domains/%00",
    ] {
        let answer = app.operate("GET", path).await;
        assert!(
            answer.status.is_client_error(),
            "{path}: {} {}",
            answer.status,
            answer.text
        );
    }
}
