//! `/oauth/introspect` and `/oauth/userinfo`: what a token stands for.

use serde_json::json;
use testkit::TestApp;

use crate::oauth_client::{OAuth, text};

#[tokio::test]
async fn introspection_tells_what_a_token_stands_for() {
    let app = TestApp::start().await;
    let oauth = OAuth::of(&app).await;
    let tokens = oauth.password("read profile").await;
    let of = async |token: &str| {
        oauth
            .post("/oauth/introspect", &[("token", token)])
            .await
            .expect(200)
            .json()
    };
    let known = of(text(&tokens, "access_token")).await;
    assert_eq!(known["active"], true);
    assert_eq!(known["username"], "owner");
    assert_eq!(known["scope"], "profile read");
    let without = oauth.password("read").await;
    let username = &of(text(&without, "access_token")).await["username"];
    assert!(username.is_null(), "it needs scope profile");
    assert_eq!(
        known["exp"].as_i64().unwrap() - known["iat"].as_i64().unwrap(),
        3600
    );
    assert_eq!(of(text(&tokens, "refresh_token")).await["active"], true);
    assert_eq!(of("unknown").await, json!({"active": false}));
}

#[tokio::test]
async fn userinfo_answers_claims_by_scope() {
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "openid").await;
    let claims = ada.get("/oauth/userinfo").await.expect(200).json();
    assert_eq!(claims.as_object().unwrap().len(), 1);
    let ada = app.tenant("acme").user("ada", "openid profile email").await;
    let claims = ada
        .post("/oauth/userinfo", json!({}))
        .await
        .expect(200)
        .json();
    assert_eq!(claims["preferred_username"], "ada");
    assert_eq!(claims["email"], "ada@acme.example");
    let without = app.tenant("acme").user("ada", "profile").await;
    without.get("/oauth/userinfo").await.expect(403);
}
