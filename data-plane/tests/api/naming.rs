//! The five ways to name a tenant, and what happens when they disagree.

use serde_json::json;
use testkit::{Client, TestApp};

async fn slug(client: &Client, path: &str) -> String {
    let answer = client.get(path).await.expect(200);
    answer.json()["tenant"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_tenant_is_named_in_any_of_five_ways() {
    let app = TestApp::start().await;
    app.tenant("acme").anonymous().await;
    let operator = app.operator().await;
    let id = operator.get("/control/v1/tenants/acme").await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let domains = "/control/v1/tenants/acme/domains";
    operator
        .post(domains, json!({"domain": "App.Acme.example."}))
        .await
        .expect(201);

    let anyone = app.anonymous();
    let custom = anyone.clone().with("host", "app.acme.example:8080");
    assert_eq!(
        custom.get("/api/ping").await.expect(404).problem(),
        "tenant-not-found"
    );
    let verify = format!("{domains}/app.acme.example/verify");
    operator.post(&verify, json!({})).await.expect(200);

    for (client, path) in [
        (anyone.clone().with("x-tenant-slug", "acme"), "/api/ping"),
        (anyone.clone().with("x-tenant-id", &id), "/api/ping"),
        (
            anyone.clone().with("host", "acme.localhost:8080"),
            "/api/ping",
        ),
        (anyone.clone().with("host", "ACME.LocalHost."), "/api/ping"),
        (custom, "/api/ping"),
        (anyone.clone(), "/tenants/acme/api/ping"),
        (
            anyone
                .with("host", "acme.localhost")
                .with("x-tenant-id", &id),
            "/tenants/acme/api/ping",
        ),
    ] {
        assert_eq!(slug(&client, path).await, "acme", "{path}");
    }
}

#[tokio::test]
async fn names_that_disagree_are_refused() {
    let app = TestApp::start().await;
    app.tenant("acme").anonymous().await;
    app.tenant("globex").anonymous().await;
    let operator = app.operator().await;
    let id = operator.get("/control/v1/tenants/globex").await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let acme = app.anonymous().with("x-tenant-slug", "acme");
    for (client, path) in [
        (acme.clone().with("host", "globex.localhost"), "/api/ping"),
        (acme.clone().with("x-tenant-id", &id), "/api/ping"),
        (acme, "/tenants/globex/api/ping"),
        (
            app.anonymous().with("host", "acme.localhost"),
            "/tenants/globex/api/ping",
        ),
    ] {
        assert_eq!(
            client.get(path).await.expect(400).problem(),
            "tenant-mismatch",
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_name_that_is_nobodys_falls_through_to_nobody() {
    let app = TestApp::start().await;
    app.tenant("acme").anonymous().await;
    let anyone = app.anonymous();
    for client in [
        anyone.clone().with("x-tenant-slug", "nobody"),
        anyone
            .clone()
            .with("x-tenant-slug", "acme'; DROP SCHEMA tenant_acme; --"),
        anyone.clone().with("x-tenant-slug", "tenant_acme"),
        anyone.clone().with("x-tenant-slug", "acme,globex"),
        anyone
            .clone()
            .with("x-tenant-id", "01890a5d-ac96-774b-bcce-b302099a8057"),
        anyone.clone().with("x-tenant-id", "1"),
        anyone.clone().with("host", "nobody.localhost"),
        anyone.clone().with("host", "www.localhost"),
        anyone.clone().with("host", "a.acme.localhost"),
        anyone.clone().with("host", "acme.localhost.evil.example"),
        anyone.clone().with("host", "xn--cme-8cd.localhost"),
        anyone
            .clone()
            .with("host", "evil.example")
            .with("x-tenant-slug", "acme"),
        anyone
            .clone()
            .with("host", "nobody.localhost")
            .with("x-tenant-slug", "acme"),
    ] {
        let answer = client.get("/api/ping").await;
        assert_eq!(answer.expect(404).problem(), "tenant-not-found");
    }
    assert_eq!(
        anyone
            .get("/tenants/nobody/api/ping")
            .await
            .expect(404)
            .problem(),
        "tenant-not-found"
    );
    assert_eq!(
        anyone.get("/api/ping").await.expect(400).problem(),
        "tenant-required"
    );
}

#[tokio::test]
async fn a_suspended_tenant_is_not_served_and_a_deleted_one_not_known() {
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "read").await;
    let slug = "acme".parse().unwrap();

    app.control.suspend(&slug, "tests").await.unwrap();
    ada.eventually("/api/notes", 403).await;
    assert_eq!(
        ada.get("/api/notes").await.expect(403).problem(),
        "tenant-suspended"
    );
    assert_eq!(
        ada.get("/api/ping").await.expect(403).problem(),
        "tenant-suspended"
    );

    app.control.resume(&slug, "tests").await.unwrap();
    ada.eventually("/api/notes", 200).await;

    app.control.delete(&slug, "tests").await.unwrap();
    ada.eventually("/api/notes", 404).await;
    assert_eq!(ada.get("/api/notes").await.problem(), "tenant-not-found");

    app.control.restore(&slug, "tests").await.unwrap();
    ada.eventually("/api/notes", 200).await;
}

#[tokio::test]
async fn a_slug_given_up_and_taken_again_is_another_tenant() {
    let app = TestApp::start().await;
    let before = app.tenant("acme").user("ada", "read").await;
    let slug = "acme".parse().unwrap();
    app.control.delete(&slug, "tests").await.unwrap();
    app.control.purge(&slug, "tests").await.unwrap();
    before.eventually("/api/notes", 404).await;

    app.tenant("acme").anonymous().await;
    assert_eq!(
        before.get("/api/notes").await.expect(401).problem(),
        "unauthorized"
    );
}

#[tokio::test]
async fn a_path_prefix_is_kept_in_what_is_answered() {
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "read write").await;
    let by_path = ada.clone().without("x-tenant-slug");
    let new = json!({"title": "plan"});
    let made = by_path
        .post("/tenants/acme/api/notes", new.clone())
        .await
        .expect(201);
    assert_eq!(made.header("location"), "/tenants/acme/api/notes/1");
    by_path.get(made.header("location")).await.expect(200);
    let made = ada.post("/api/notes", new).await.expect(201);
    assert_eq!(made.header("location"), "/api/notes/2");
}

#[tokio::test]
async fn a_path_prefix_leads_to_nothing_of_the_platforms_own() {
    let app = TestApp::start().await;
    app.tenant("acme").anonymous().await;
    let operator = app.operator().await;
    for path in [
        "/control/v1/tenants",
        "/tenants/list",
        "/tenants/register?slug=x",
        "/health",
        "/health/live",
        "/health/ready",
    ] {
        operator.get(path).await.expect(200);
        let refused = operator
            .get(&format!("/tenants/acme{path}"))
            .await
            .expect(404);
        assert_eq!(refused.problem(), "not-found", "{path}");
        operator
            .get(&format!("/tenants/nobody{path}"))
            .await
            .expect(404);
    }
    app.anonymous()
        .get("/tenants/acme/tenants/info")
        .await
        .expect(200);
}
