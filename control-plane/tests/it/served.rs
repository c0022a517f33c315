//! What operators change, as a tenant's users see it: both planes in one process.

use serde_json::{Value, json};
use testkit::TestApp;

async fn operate(app: &TestApp, method: &str, path: &str, body: Value) {
    let operator = app.operator().await;
    let path = format!("/control/v1/tenants/{path}");
    let answer = match method {
        "POST" => operator.post(&path, body).await,
        "PUT" => operator.put(&path, body).await,
        "PATCH" => operator.patch(&path, body).await,
        _ => operator.delete(&path).await,
    };
    assert!(
        answer.status.is_success(),
        "{method} {path}: {}",
        answer.status
    );
}

#[tokio::test]
async fn a_renamed_tenant_is_served_under_its_new_name_with_what_it_had() {
    let app = TestApp::start().await;
    let user = app.tenant("acme").user("ada", "read write").await;
    user.post("/api/notes", json!({"title": "a", "body": "b"}))
        .await
        .expect(201);
    user.get("/api/notes").await.expect(200);
    operate(&app, "PATCH", "acme", json!({"slug": "globex"})).await;
    user.eventually("/api/notes", 308).await;
    let user = user.with("x-tenant-slug", "globex");
    user.eventually("/api/notes", 200).await;
    let notes = user.get("/api/notes").await.expect(200).json();
    assert_eq!(notes["notes"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_slug_that_went_to_another_shows_the_other() {
    let app = TestApp::start().await;
    let user = app.tenant("acme").user("ada", "read").await;
    user.get("/api/notes").await.expect(200);
    operate(&app, "PATCH", "acme", json!({"slug": "globex"})).await;
    app.clock.advance(time::Duration::days(31));
    let owner = app.tenant("acme").owner().await;
    let users = owner.get("/tenants/users").await.expect(200).json();
    assert_eq!(users["users"].as_array().unwrap().len(), 1);
    user.eventually("/api/notes", 401).await;
}

#[tokio::test]
async fn suspension_and_deletion_reach_every_request() {
    let app = TestApp::start().await;
    let user = app.tenant("acme").user("ada", "read").await;
    user.get("/api/notes").await.expect(200);
    operate(&app, "POST", "acme/suspend", json!({})).await;
    user.eventually("/api/notes", 403).await;
    operate(&app, "POST", "acme/resume", json!({})).await;
    user.eventually("/api/notes", 200).await;
    operate(&app, "DELETE", "acme", json!({})).await;
    user.eventually("/api/notes", 404).await;
    operate(&app, "POST", "acme/restore", json!({})).await;
    user.eventually("/api/notes", 200).await;
}

#[tokio::test]
async fn a_new_password_ends_sessions_and_tokens_in_memory_too() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let (session, token) = (acme.member("ada").await, acme.user("ada", "read").await);
    let other = acme.user("grace", "read").await;
    for client in [&session, &token, &other] {
        client.get("/tenants/info").await.expect(200);
    }
    token.get("/api/notes").await.expect(200);
    let password = json!({"password": "another horse"});
    operate(&app, "PUT", "acme/users/ada/password", password).await;
    token.eventually("/api/notes", 401).await;
    other.get("/api/notes").await.expect(200);
    let login = json!({"username": "ada", "password": "another horse"});
    acme.anonymous()
        .await
        .post("/oauth/login", login)
        .await
        .expect(200);
}

#[tokio::test]
async fn a_verified_domain_is_served_and_one_given_up_is_not() {
    let app = TestApp::start().await;
    app.tenant("acme").anonymous().await;
    let visitor = app.anonymous().with("host", "app.acme.example");
    visitor.get("/api/ping").await.expect(404);
    operate(
        &app,
        "POST",
        "acme/domains",
        json!({"domain": "app.acme.example"}),
    )
    .await;
    visitor.get("/api/ping").await.expect(404);
    operate(
        &app,
        "POST",
        "acme/domains/app.acme.example/verify",
        json!({}),
    )
    .await;
    visitor.eventually("/api/ping", 200).await;
    operate(&app, "DELETE", "acme/domains/app.acme.example", json!({})).await;
    visitor.eventually("/api/ping", 404).await;
}

#[tokio::test]
async fn a_purged_slug_begins_anew() {
    let app = TestApp::start().await;
    let user = app.tenant("acme").user("ada", "read write").await;
    user.post("/api/notes", json!({"title": "a", "body": "b"}))
        .await
        .expect(201);
    operate(&app, "DELETE", "acme", json!({})).await;
    operate(&app, "POST", "acme/purge", json!({})).await;
    user.eventually("/api/notes", 404).await;
    app.tenant("acme").owner().await;
    user.eventually("/api/notes", 401).await;
}
