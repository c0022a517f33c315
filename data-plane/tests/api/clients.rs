//! Registration of OAuth clients.

use serde_json::json;
use testkit::TestApp;

#[tokio::test]
async fn a_client_is_registered_with_its_secret_shown_once() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let body = json!({
        "client_name": "app", "grant_types": ["password", "client_credentials"], "scope": "read",
    });
    let client = owner
        .post("/oauth/client/register", body)
        .await
        .expect(201)
        .json();
    assert!(
        client["client_secret"]
            .as_str()
            .unwrap()
            .starts_with("tnt_cs_")
    );
    assert_eq!(client["client_secret_expires_at"], 0);
    assert_eq!(client["token_endpoint_auth_method"], "client_secret_basic");

    let list = owner.get("/oauth/client/list").await.expect(200).json();
    assert_eq!(list["clients"][0]["client_id"], client["client_id"]);
    assert!(list["clients"][0].get("client_secret").is_none());
}

#[tokio::test]
async fn a_public_client_has_no_secret_and_cannot_act_for_itself() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let mut body = json!({
        "client_name": "spa", "grant_types": ["authorization_code"],
        "redirect_uris": ["https://app.acme.example/cb"], "token_endpoint_auth_method": "none",
    });
    let client = owner
        .post("/oauth/client/register", body.clone())
        .await
        .expect(201)
        .json();
    assert!(client.get("client_secret").is_none());
    body["grant_types"] = json!(["client_credentials"]);
    let refused = owner.post("/oauth/client/register", body).await.expect(400);
    assert_eq!(refused.problem(), "invalid_client_metadata");
    let nameless = json!({"grant_types": ["client_credentials"]});
    let refused = owner
        .post("/oauth/client/register", nameless)
        .await
        .expect(400);
    assert_eq!(refused.problem(), "invalid_client_metadata");
    assert_eq!(
        refused.json()["error_description"],
        "client_name is required"
    );
}

#[tokio::test]
async fn users_and_strangers_register_no_clients() {
    let app = TestApp::start().await;
    let body = json!({"client_name": "app", "grant_types": ["client_credentials"]});
    let ada = app.tenant("acme").member("ada").await;
    ada.post("/oauth/client/register", body.clone())
        .await
        .expect(403);
    let stranger = app.tenant("acme").anonymous().await;
    stranger
        .post("/oauth/client/register", body.clone())
        .await
        .expect(401);
    let admin = app.tenant("acme").admin("grace").await;
    admin.post("/oauth/client/register", body).await.expect(201);
}

#[tokio::test]
async fn a_removed_client_and_its_tokens_no_longer_count() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let machine = acme.machine("read").await;
    machine.get("/api/notes").await.expect(200);
    let (id, _) = acme.client().await;
    let owner = acme.owner().await;
    owner
        .delete(&format!("/oauth/client/{id}"))
        .await
        .expect(204);
    machine.get("/api/notes").await.expect(401);
    owner
        .delete(&format!("/oauth/client/{id}"))
        .await
        .expect(404);
}

#[tokio::test]
async fn a_plan_limits_clients() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let body = json!({"client_name": "app", "grant_types": ["client_credentials"]});
    for _ in 0..5 {
        owner
            .post("/oauth/client/register", body.clone())
            .await
            .expect(201);
    }
    let refused = owner.post("/oauth/client/register", body).await.expect(403);
    assert_eq!(refused.problem(), "quota-exceeded");
    let body = refused.json();
    assert_eq!(
        (&body["quota"], &body["limit"], &body["used"]),
        (&json!("clients"), &json!(5), &json!(5))
    );
}

#[tokio::test]
async fn clients_are_listed_page_by_page() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").on_plan("enterprise").await.owner().await;
    for number in 0..5 {
        let body =
            json!({"client_name": format!("app {number}"), "grant_types": ["client_credentials"]});
        owner.post("/oauth/client/register", body).await.expect(201);
    }
    let (mut names, mut path) = (Vec::new(), "/oauth/client/list?limit=2".to_owned());
    loop {
        let page = owner.get(&path).await.expect(200).json();
        names.extend(
            page["clients"]
                .as_array()
                .unwrap()
                .iter()
                .map(|c| c["client_name"].clone()),
        );
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/oauth/client/list?limit=2&cursor={next}");
    }
    assert_eq!(names, ["app 0", "app 1", "app 2", "app 3", "app 4"]);
}
