//! `/oauth/token` with a refresh token, and how long tokens hold.

use testkit::TestApp;
use time::Duration;

use crate::oauth_client::{OAuth, text};

#[tokio::test]
async fn a_token_ends_with_its_time() {
    let app = TestApp::start().await;
    let oauth = OAuth::of(&app).await;
    let tokens = oauth.password("read").await;
    assert_eq!(oauth.opens(text(&tokens, "access_token")).await, 200);
    app.clock.advance(Duration::minutes(61));
    assert_eq!(oauth.opens(text(&tokens, "access_token")).await, 401);
    let tokens = oauth
        .refresh(text(&tokens, "refresh_token"))
        .await
        .expect(200)
        .json();
    assert_eq!(oauth.opens(text(&tokens, "access_token")).await, 200);
    app.clock.advance(Duration::days(31));
    let answer = oauth
        .refresh(text(&tokens, "refresh_token"))
        .await
        .expect(400);
    assert_eq!(answer.problem(), "invalid_grant");
}

#[tokio::test]
async fn a_refresh_token_works_once_and_a_second_use_revokes_the_family() {
    let app = TestApp::start().await;
    let oauth = OAuth::of(&app).await;
    let first = oauth.password("read write").await;
    let second = oauth
        .refresh(text(&first, "refresh_token"))
        .await
        .expect(200)
        .json();
    assert_eq!(oauth.opens(text(&second, "access_token")).await, 200);

    assert_eq!(
        oauth
            .refresh(text(&first, "refresh_token"))
            .await
            .expect(400)
            .problem(),
        "invalid_grant"
    );
    for body in [&first, &second] {
        assert_eq!(oauth.opens(text(body, "access_token")).await, 401);
    }
    oauth
        .refresh(text(&second, "refresh_token"))
        .await
        .expect(400);
}

#[tokio::test]
async fn of_two_refreshes_at_once_one_wins_at_most() {
    let app = TestApp::start().await;
    let oauth = OAuth::of(&app).await;
    let tokens = oauth.password("read").await;
    let token = text(&tokens, "refresh_token");
    let (a, b) = tokio::join!(oauth.refresh(token), oauth.refresh(token));
    let won = [&a, &b]
        .iter()
        .filter(|answer| answer.status == 200)
        .count();
    assert!(won <= 1, "{} {}", a.status, b.status);
}

#[tokio::test]
async fn a_refreshed_token_has_no_more_scope_than_was_granted() {
    let app = TestApp::start().await;
    let oauth = OAuth::of(&app).await;
    let tokens = oauth.password("read write").await;
    let refresh = ("refresh_token", text(&tokens, "refresh_token"));
    let grant = ("grant_type", "refresh_token");
    let wider = oauth
        .post("/oauth/token", &[grant, refresh, ("scope", "read admin")])
        .await;
    assert_eq!(wider.expect(400).problem(), "invalid_scope");
    let narrower = oauth
        .post("/oauth/token", &[grant, refresh, ("scope", "read")])
        .await;
    let narrower = narrower.expect(200).json();
    assert_eq!(text(&narrower, "scope"), "read");
    let again = oauth
        .refresh(text(&narrower, "refresh_token"))
        .await
        .expect(200)
        .json();
    assert_eq!(text(&again, "scope"), "read write");
}
