//! What operators do to a tenant, and from which state.

use serde_json::json;
use time::Duration;

use control_plane::reaper;

use crate::support::{TestApp, application};

/// Does a step; its status, and the tenant's afterwards.
async fn step(app: &TestApp, method: &str, step: &str) -> (u16, String) {
    let answer = app.operate(method, &format!("/tenants/acme{step}")).await;
    let now = app.operate("GET", "/tenants/acme").await.json();
    let status = now["status"].as_str().unwrap_or("gone").to_owned();
    (answer.status.as_u16(), status)
}

fn is(code: u16, status: &str) -> (u16, String) {
    (code, status.to_owned())
}

#[tokio::test]
async fn every_step_works_from_its_states_alone() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    assert_eq!(step(&app, "POST", "/resume").await, is(409, "active"));
    assert_eq!(step(&app, "POST", "/restore").await, is(409, "active"));
    assert_eq!(step(&app, "POST", "/purge").await, is(409, "active"));
    assert_eq!(step(&app, "POST", "/suspend").await, is(200, "suspended"));
    assert_eq!(step(&app, "POST", "/suspend").await, is(409, "suspended"));
    assert_eq!(step(&app, "POST", "/purge").await, is(409, "suspended"));
    assert_eq!(step(&app, "POST", "/resume").await, is(200, "active"));
    assert_eq!(step(&app, "DELETE", "").await, is(200, "deleting"));
    assert_eq!(step(&app, "DELETE", "").await, is(409, "deleting"));
    assert_eq!(step(&app, "POST", "/suspend").await, is(409, "deleting"));
    assert_eq!(step(&app, "POST", "/resume").await, is(409, "deleting"));
    assert_eq!(step(&app, "POST", "/restore").await, is(200, "active"));
    assert_eq!(step(&app, "DELETE", "").await, is(200, "deleting"));
    let purged = app.operate("POST", "/tenants/acme/purge").await;
    assert_eq!(purged.status, 204);
    assert_eq!(
        app.operate("GET", "/tenants/acme").await.problem(),
        "tenant-not-found"
    );
}

#[tokio::test]
async fn a_refusal_says_where_the_tenant_is() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let refused = app.operate("POST", "/tenants/acme/resume").await;
    assert_eq!(refused.problem(), "conflict");
    assert_eq!(refused.json()["status"], 409);
    assert_eq!(refused.json()["tenant_status"], "active");
}

#[tokio::test]
async fn a_suspended_tenant_that_is_restored_is_suspended_still() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    app.operate("POST", "/tenants/acme/suspend").await;
    app.operate("DELETE", "/tenants/acme").await;
    assert_eq!(step(&app, "POST", "/restore").await, is(200, "suspended"));
}

#[tokio::test]
async fn a_deletion_has_its_grace_period() {
    let app = TestApp::with(|settings| settings.delete_grace_days = 7).await;
    app.tenant("acme").await;
    let deleted = app.operate("DELETE", "/tenants/acme").await.json();
    let until = app.clock.now() + Duration::days(7);
    let told = deleted["delete_after"].as_str().unwrap();
    assert_eq!(told[..10], until.date().to_string());
    app.operate("POST", "/tenants/acme/restore").await;
    let restored = app.operate("GET", "/tenants/acme").await.json();
    assert!(restored["delete_after"].is_null());
}

#[tokio::test]
async fn a_purged_tenant_leaves_its_record_and_gives_its_names_back() {
    let app = TestApp::start().await;
    let mut first = application("acme");
    first["domain"] = json!("acme.example");
    assert_eq!(app.register(&first).await.status, 201);
    app.operate("DELETE", "/tenants/acme").await;
    assert_eq!(app.operate("POST", "/tenants/acme/purge").await.status, 204);
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'tenant_acme'";
    assert_eq!(app.count(schemas).await, 0);
    reaper::look(&app.plane).await;
    let roles =
        "SELECT count(*) FROM pg_roles r JOIN platform.tenants t ON t.role_name = r.rolname";
    assert_eq!(app.count(roles).await, 0);
    let records = "SELECT count(*) FROM platform.tenants WHERE status = 'purged'";
    assert_eq!(app.count(records).await, 1);
    assert_eq!(app.register(&first).await.status, 201);
}

#[tokio::test]
async fn a_plan_is_one_that_there_is() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let put = |plan| json!({ "plan": plan });
    let answer = app
        .operate_with("PUT", "/tenants/acme/plan", &put("premium"))
        .await;
    assert_eq!(answer.json()["plan"], "premium");
    let unknown = app
        .operate_with("PUT", "/tenants/acme/plan", &put("gold"))
        .await;
    assert_eq!(
        (unknown.problem(), unknown.faulty()),
        ("validation-failed".to_owned(), vec!["plan".to_owned()])
    );
    let missing = app
        .operate_with("PUT", "/tenants/acme/plan", &json!({}))
        .await;
    assert_eq!(missing.faulty(), ["plan"]);
}

#[tokio::test]
async fn what_was_done_is_on_record() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    for step in ["suspend", "resume"] {
        app.operate("POST", &format!("/tenants/acme/{step}")).await;
    }
    let refused = app.operate("POST", "/tenants/acme/resume").await;
    assert_eq!(refused.status, 409);
    let events = app.operate("GET", "/tenants/acme/events").await.json();
    let actions: Vec<&str> = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        actions,
        ["tenant.resumed", "tenant.suspended", "tenant.created"]
    );
    assert_eq!(events["events"][0]["actor"], "operator:tests");
}
