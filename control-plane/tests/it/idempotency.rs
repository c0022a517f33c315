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
async fn a_key_covers_the_password() {
    let app = TestApp::start().await;
    let first = app.register_with(&application("acme"), Some("key")).await;
    let other = application_with("acme", "admin_password", "another horse");
    let refused = app.register_with(&other, Some("key")).await;
    assert_eq!(refused.problem(), "idempotency-key-reused");
    let again = app.register_with(&application("acme"), Some("key")).await;
    assert_eq!(again.text, first.text);
    let kept = "SELECT count(*) FROM platform.idempotency_keys k, tenant_acme.users u \
        WHERE k.password_hash = u.password_hash AND u.password_hash LIKE '$argon2id$%'";
    assert_eq!(app.count(kept).await, 1);
}

/// Whoever comes second waits for the first, and is compared by what that one left.
#[tokio::test]
async fn of_two_passwords_at_once_one_is_refused() {
    let app = TestApp::start().await;
    let (one, two) = (
        application("acme"),
        application_with("acme", "admin_password", "another horse"),
    );
    let (one, two) = tokio::join!(
        app.register_with(&one, Some("key")),
        app.register_with(&two, Some("key"))
    );
    let mut answers = [one.status.as_u16(), two.status.as_u16()];
    answers.sort_unstable();
    assert_eq!(answers, [201, 422]);
    assert_eq!(app.count("SELECT count(*) FROM platform.tenants").await, 1);
}

#[tokio::test]
async fn a_key_belongs_to_whoever_sent_it() {
    let app = TestApp::start().await;
    let key = Some("key");
    let first = app
        .operate_with_key(app.operator(), &application("acme"), key)
        .await;
    assert_eq!(first.status, 201, "{}", first.text);
    let again = app
        .operate_with_key(app.operator(), &application("acme"), key)
        .await;
    assert_eq!(again.text, first.text);
    let stranger = app.register_with(&application("acme"), key).await;
    assert_eq!(stranger.faulty(), ["tenant_slug"], "{}", stranger.text);
    let other = app.another_operator("other").await;
    let other = app
        .operate_with_key(&other, &application("acme"), key)
        .await;
    assert_eq!(other.faulty(), ["tenant_slug"], "{}", other.text);
    let strangers = app.register_with(&application("globex"), key).await;
    assert_eq!(strangers.status, 201, "{}", strangers.text);
    let operator = app
        .operate_with_key(app.operator(), &application("globex"), key)
        .await;
    assert_eq!(operator.problem(), "idempotency-key-reused");
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
async fn what_closed_meanwhile_does_not_make_a_repetition_fail() {
    let app = TestApp::start().await;
    let named = application_with("globex", "plan", "basic");
    let mut first = Vec::new();
    for (application, key) in [(&application("acme"), "default"), (&named, "named")] {
        first.push(app.register_with(application, Some(key)).await);
    }
    let close = "UPDATE platform.plans SET self_serve = false";
    app.admin().await.execute(close, &[]).await.unwrap();
    let again = app
        .register_with(&application("acme"), Some("default"))
        .await;
    assert_eq!(
        (again.status, again.text),
        (first[0].status, first[0].text.clone())
    );
    let again = app.register_with(&named, Some("named")).await;
    assert_eq!(
        (again.status, again.text),
        (first[1].status, first[1].text.clone())
    );
    assert_eq!(first[1].status, 201);
    let other = application_with("globex", "admin_password", "another horse");
    let refused = app.register_with(&other, Some("named")).await;
    assert_eq!(refused.problem(), "idempotency-key-reused");
    let fresh = app.register_with(&named, Some("fresh")).await;
    assert_eq!(fresh.faulty(), ["plan"], "{}", fresh.text);
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
