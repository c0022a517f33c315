//! `/oauth/revoke`.

use serde_json::json;
use testkit::TestApp;

use crate::oauth_client::{OAuth, text};

#[tokio::test]
async fn a_revoked_token_is_refused_at_once() {
    let app = TestApp::start().await;
    let oauth = OAuth::of(&app).await;
    let tokens = oauth.password("read").await;
    assert_eq!(oauth.opens(text(&tokens, "access_token")).await, 200);
    oauth
        .post("/oauth/revoke", &[("token", text(&tokens, "access_token"))])
        .await
        .expect(200);
    assert_eq!(oauth.opens(text(&tokens, "access_token")).await, 401);

    let renewed = oauth
        .refresh(text(&tokens, "refresh_token"))
        .await
        .expect(200)
        .json();
    assert_eq!(oauth.opens(text(&renewed, "access_token")).await, 200);
    oauth
        .post(
            "/oauth/revoke",
            &[("token", text(&renewed, "refresh_token"))],
        )
        .await
        .expect(200);
    assert_eq!(oauth.opens(text(&renewed, "access_token")).await, 401);
    oauth
        .refresh(text(&renewed, "refresh_token"))
        .await
        .expect(400);

    oauth
        .post("/oauth/revoke", &[("token", "unknown")])
        .await
        .expect(200);
    assert_eq!(
        oauth.post("/oauth/revoke", &[]).await.expect(400).problem(),
        "invalid_request"
    );
}

#[tokio::test]
async fn another_node_refuses_a_revoked_token_within_a_second() {
    let app = TestApp::start().await;
    let other = app.another_node();
    let oauth = OAuth::of(&app).await;
    let tokens = oauth.password("read").await;
    let there = other
        .with("x-tenant-slug", "acme")
        .with_token(text(&tokens, "access_token"));
    there.get("/api/protected").await.expect(200);
    oauth
        .post("/oauth/revoke", &[("token", text(&tokens, "access_token"))])
        .await
        .expect(200);
    there.eventually("/api/protected", 401).await;
}

#[tokio::test]
async fn a_client_cannot_revoke_anothers_token() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let oauth = OAuth::of(&app).await;
    let tokens = oauth.password("read").await;
    let body = json!({"client_name": "other", "grant_types": ["client_credentials"]});
    let other = owner
        .post("/oauth/client/register", body)
        .await
        .expect(201)
        .json();
    for token in [
        text(&tokens, "access_token"),
        text(&tokens, "refresh_token"),
    ] {
        let fields = [
            ("token", token),
            ("client_id", text(&other, "client_id")),
            ("client_secret", text(&other, "client_secret")),
        ];
        oauth.acme.form("/oauth/revoke", &fields).await.expect(200);
    }
    assert_eq!(oauth.opens(text(&tokens, "access_token")).await, 200);
    oauth
        .refresh(text(&tokens, "refresh_token"))
        .await
        .expect(200);
}
