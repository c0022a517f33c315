//! `/oauth/token`: who is given a token, and for which grant.

use serde_json::json;
use testkit::{TestApp, app::PASSWORD};

use crate::oauth_client::{OAuth, text};

#[tokio::test]
async fn a_token_is_answered_as_the_rfc_has_it() {
    let app = TestApp::start().await;
    let oauth = OAuth::of(&app).await;
    let fields = [("grant_type", "client_credentials"), ("scope", "read")];
    let answer = oauth.post("/oauth/token", &fields).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.json();
    assert_eq!(text(&body, "token_type"), "Bearer");
    assert_eq!(body["expires_in"], 3600);
    assert_eq!(text(&body, "scope"), "read");
    assert!(body.get("refresh_token").is_none());
    assert_eq!(oauth.opens(text(&body, "access_token")).await, 200);
}

#[tokio::test]
async fn a_client_may_authenticate_by_basic_too_but_not_twice() {
    let app = TestApp::start().await;
    let oauth = OAuth::of(&app).await;
    let pair = base64(&format!("{}:{}", oauth.id, oauth.secret));
    let basic = oauth
        .acme
        .clone()
        .with("authorization", &format!("Basic {pair}"));
    let grant = [("grant_type", "client_credentials")];
    basic.form("/oauth/token", &grant).await.expect(200);
    let twice = [grant[0], ("client_secret", oauth.secret.as_str())];
    assert_eq!(
        basic
            .form("/oauth/token", &twice)
            .await
            .expect(400)
            .problem(),
        "invalid_request"
    );

    for wrong in [
        format!("{}:wrong", oauth.id),
        "nobody:x".to_owned(),
        String::new(),
    ] {
        let client = oauth
            .acme
            .clone()
            .with("authorization", &format!("Basic {}", base64(&wrong)));
        let answer = client.form("/oauth/token", &grant).await.expect(401);
        assert_eq!(answer.problem(), "invalid_client");
        assert!(answer.header("www-authenticate").starts_with("Basic"));
    }
}

fn base64(text: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}

#[tokio::test]
async fn requests_that_make_no_sense_are_told_so() {
    let app = TestApp::start().await;
    let oauth = OAuth::of(&app).await;
    for (fields, code) in [
        (&[][..], "invalid_request"),
        (&[("grant_type", "")], "invalid_request"),
        (&[("grant_type", "implicit")], "unsupported_grant_type"),
        (&[("grant_type", "password")], "invalid_request"),
        (&[("grant_type", "refresh_token")], "invalid_request"),
        (
            &[("grant_type", "refresh_token"), ("refresh_token", "x")],
            "invalid_grant",
        ),
        (
            &[
                ("grant_type", "client_credentials"),
                ("scope", "everything"),
            ],
            "invalid_scope",
        ),
        (
            &[("grant_type", "client_credentials"), ("scope", "read\0")],
            "invalid_request",
        ),
        (
            &[
                ("grant_type", "password"),
                ("username", "owner"),
                ("password", "wrong password"),
            ],
            "invalid_grant",
        ),
        (
            &[
                ("grant_type", "password"),
                ("username", "own\0er"),
                ("password", PASSWORD),
            ],
            "invalid_request",
        ),
        (
            &[
                ("grant_type", "client_credentials"),
                ("grant_type", "password"),
            ],
            "invalid_request",
        ),
    ] {
        let answer = oauth.post("/oauth/token", fields).await.expect(400);
        assert_eq!(answer.problem(), code, "{fields:?}");
    }
}

#[tokio::test]
async fn a_grant_needs_the_clients_registration_and_the_tenants_leave() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let oauth = OAuth::of(&app).await;
    let body =
        json!({"client_name": "narrow", "grant_types": ["client_credentials"], "scope": "read"});
    let narrow = owner
        .post("/oauth/client/register", body)
        .await
        .expect(201)
        .json();
    let fields = [
        ("grant_type", "password"),
        ("username", "owner"),
        ("password", PASSWORD),
        ("client_id", text(&narrow, "client_id")),
        ("client_secret", text(&narrow, "client_secret")),
    ];
    let answer = oauth.acme.form("/oauth/token", &fields).await.expect(400);
    assert_eq!(answer.problem(), "unauthorized_client");

    owner
        .put(
            "/tenants/settings",
            json!({"forbidden_grants": ["password"]}),
        )
        .await
        .expect(200);
    let fields = [
        ("grant_type", "password"),
        ("username", "owner"),
        ("password", PASSWORD),
    ];
    let answer = oauth.post("/oauth/token", &fields).await.expect(400);
    assert_eq!(answer.problem(), "unauthorized_client");
}

#[tokio::test]
async fn admin_is_granted_to_those_who_administer_alone() {
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "read admin").await;
    ada.get("/api/notes").await.expect(200);
    assert_eq!(
        ada.get("/api/admin").await.expect(403).problem(),
        "insufficient-scope"
    );
    let machine = app.tenant("acme").machine("read admin").await;
    machine.get("/api/admin").await.expect(403);
    app.tenant("acme")
        .owner_token("admin")
        .await
        .get("/api/admin")
        .await
        .expect(200);
}
