//! `/tenants/info` and `/tenants/stats`.

use serde_json::json;
use testkit::TestApp;

#[tokio::test]
async fn strangers_see_public_facts_and_members_all() {
    let app = TestApp::start().await;
    let stranger = app.tenant("acme").anonymous().await;
    let public = stranger.get("/tenants/info").await.expect(200).json();
    assert_eq!(public["slug"], "acme");
    assert_eq!(public["registration"], "open");
    assert!(public.get("plan").is_none());

    let ada = app.tenant("acme").member("ada").await;
    let own = ada
        .post("/tenants/info", json!({}))
        .await
        .expect(200)
        .json();
    assert_eq!(own["plan"], "free");
    assert_eq!(own["member"]["username"], "ada");
    assert_eq!(own["member"]["role"], "user");

    let stale = stranger.with("cookie", "tenantry_session=stale");
    assert!(
        stale
            .get("/tenants/info")
            .await
            .expect(200)
            .json()
            .get("plan")
            .is_none()
    );
}

#[tokio::test]
async fn a_token_shows_of_its_user_what_its_scopes_open() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    for (scope, username, email) in [
        ("read", None, None),
        ("openid profile", Some("ada"), None),
        ("email", None, Some("ada@acme.example")),
    ] {
        let ada = acme.user("ada", scope).await;
        let info = ada.get("/tenants/info").await.expect(200).json();
        let member = &info["member"];
        assert_eq!(member["username"].as_str(), username, "{scope}: {member}");
        assert_eq!(member["role"].as_str(), username.map(|_| "user"), "{scope}");
        assert_eq!(member["email"].as_str(), email, "{scope}: {member}");
        assert_eq!(info["plan"], "free");
    }
}

#[tokio::test]
async fn stats_count_what_there_is() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let ada = acme.user("ada", "write").await;
    ada.post("/api/notes", json!({"title": "one"}))
        .await
        .expect(201);
    let owner = acme.owner().await;
    let stats = owner.get("/tenants/stats").await.expect(200).json();
    assert_eq!(stats["total_users"], 2);
    assert_eq!(stats["active_users"], 2);
    assert_eq!(stats["total_clients"], 1);
    assert_eq!(stats["active_tokens"], 1);
    assert_eq!(stats["total_notes"], 1);
    assert_eq!(stats["max_users"], 10);
    assert_eq!(stats["plan"], "free");
    assert!(stats["storage_bytes"].as_i64().unwrap() > 0);
    acme.member("ada")
        .await
        .get("/tenants/stats")
        .await
        .expect(403);
}
