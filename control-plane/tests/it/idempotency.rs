use time::Duration;

use crate::support::{TestApp, application, application_with};

#[tokio::test]
async fn the_same_request_gets_the_same_answer() {
    let app = TestApp::start().await;
    let first = app.register_with(&application("acme"), Some("key-1")).await;
    let again = app.register_with(&application("acme"), Some("key-1")).await;
    assert_eq!(
        (first.status, again.status),
        (201.try_into().unwrap(), 201.try_into().unwrap())
    );
    assert_eq!(first.text, again.text);
    assert_eq!(app.count("SELECT count(*) FROM platform.tenants").await, 1);
    let without = app.register(&application("acme")).await;
    assert_eq!(without.status, 409);
}

#[tokio::test]
async fn a_key_belongs_to_one_request() {
    let app = TestApp::start().await;
    app.register_with(&application("acme"), Some("key-1")).await;
    let other = app
        .register_with(&application("globex"), Some("key-1"))
        .await;
    assert_eq!(other.status, 422);
    assert_eq!(other.problem(), "idempotency-key-reused");
    let other_key = app
        .register_with(&application("globex"), Some("key-2"))
        .await;
    assert_eq!(other_key.status, 201);
}

#[tokio::test]
async fn requests_at_once_make_one_tenant() {
    let app = TestApp::start().await;
    let wanted = application("acme");
    let answers =
        futures_util::future::join_all((0..6).map(|_| app.register_with(&wanted, Some("key"))))
            .await;
    for answer in &answers {
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert_eq!(answer.text, answers[0].text);
    }
    assert_eq!(app.count("SELECT count(*) FROM platform.tenants").await, 1);
}

#[tokio::test]
async fn a_refused_request_does_not_use_its_key_up() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    assert_eq!(
        app.register_with(&application("acme"), Some("key"))
            .await
            .status,
        409
    );
    let bad = application_with("globex", "admin_password", "short");
    assert_eq!(app.register_with(&bad, Some("key")).await.status, 422);
    assert_eq!(
        app.register_with(&application("globex"), Some("key"))
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn keys_are_remembered_for_a_day() {
    let app = TestApp::start().await;
    app.register_with(&application("acme"), Some("key")).await;
    app.clock.advance(Duration::hours(23));
    control_plane::reaper::look(&app.plane).await;
    assert_eq!(
        app.register_with(&application("acme"), Some("key"))
            .await
            .status,
        201
    );
    app.clock.advance(Duration::hours(2));
    control_plane::reaper::look(&app.plane).await;
    assert_eq!(
        app.register_with(&application("acme"), Some("key"))
            .await
            .status,
        409
    );
}

#[tokio::test]
async fn odd_keys_are_refused() {
    let app = TestApp::start().await;
    for key in ["", "a b", &"x".repeat(256)] {
        let answer = app.register_with(&application("acme"), Some(key)).await;
        assert_eq!(answer.problem(), "malformed-request", "{key:?}");
    }
    let longest = "x".repeat(255);
    assert_eq!(
        app.register_with(&application("acme"), Some(&longest))
            .await
            .status,
        201
    );
}
