//! What a token opens.

use axum::body::Body;
use http::Request;
use testkit::TestApp;

#[tokio::test]
async fn tokens_open_what_their_scopes_say() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let ada = acme.user("ada", "read").await;
    let body = ada.get("/api/protected").await.expect(200).json();
    assert_eq!(body["tenant"], "acme");
    assert!(body["username"].is_null(), "{body}");
    let refused = ada.get("/api/users/me").await.expect(403);
    assert!(
        refused
            .header("www-authenticate")
            .contains("scope=\"profile\"")
    );

    let ada = acme.user("ada", "profile").await;
    let body = ada.get("/api/protected").await.expect(200).json();
    assert_eq!(body["username"], "ada");
    let me = ada.get("/api/users/me").await.expect(200).json();
    assert_eq!(
        (&me["username"], &me["role"]),
        (&"ada".into(), &"user".into())
    );
    assert!(me.get("email").is_none());
    let ada = acme.user("ada", "profile email").await;
    let me = ada.get("/api/users/me").await.expect(200).json();
    assert_eq!(me["email"], "ada@acme.example");
}

#[tokio::test]
async fn a_request_without_a_sound_token_is_challenged() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    let bare = acme.get("/api/protected").await.expect(401);
    assert_eq!(bare.header("www-authenticate"), "Bearer realm=\"tenant\"");
    for (header, status, challenge) in [
        ("Basic YTpi", 401, "Bearer realm=\"tenant\""),
        ("nonsense", 401, "Bearer realm=\"tenant\""),
        (
            "Bearer nonsense",
            401,
            "Bearer realm=\"tenant\", error=\"invalid_token\"",
        ),
        (
            "Bearer",
            400,
            "Bearer realm=\"tenant\", error=\"invalid_request\"",
        ),
        (
            "Bearer ",
            400,
            "Bearer realm=\"tenant\", error=\"invalid_request\"",
        ),
        (
            "Bearer a b",
            400,
            "Bearer realm=\"tenant\", error=\"invalid_request\"",
        ),
    ] {
        let client = acme.clone().with("authorization", header);
        let answer = client.get("/api/protected").await.expect(status);
        assert_eq!(answer.header("www-authenticate"), challenge, "{header}");
    }
    let mut twice = Request::get("/api/protected")
        .header("x-tenant-slug", "acme")
        .body(Body::empty())
        .unwrap();
    for token in ["Bearer a", "Bearer b"] {
        twice
            .headers_mut()
            .append("authorization", token.parse().unwrap());
    }
    let answer = acme.raw(twice).await.expect(400);
    assert!(
        answer
            .header("www-authenticate")
            .contains("invalid_request")
    );
}

#[tokio::test]
async fn ping_and_status_answer_for_a_tenant() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    assert_eq!(
        acme.get("/api/ping").await.expect(200).json()["tenant"],
        "acme"
    );
    assert_eq!(
        acme.get("/api/status").await.expect(200).json()["status"],
        "ok"
    );
    assert_eq!(
        acme.get("/api/nothing").await.expect(404).problem(),
        "not-found"
    );
    let put = acme
        .put("/api/ping", serde_json::json!({}))
        .await
        .expect(405);
    assert_eq!(put.problem(), "method-not-allowed");
}

#[tokio::test]
async fn a_token_seen_before_needs_no_database() {
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "read").await;
    ada.get("/api/protected").await.expect(200);
    let before = app.transactions().await;
    for _ in 0..50 {
        ada.get("/api/protected").await.expect(200);
    }
    let run = app.transactions().await - before;
    assert!(
        run < 25,
        "{run} transactions for 50 requests: not from memory"
    );
}
