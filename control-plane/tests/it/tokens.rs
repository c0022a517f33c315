//! Operators' tokens: made, listed, used, revoked, and a record of each.

use axum::body::Body;
use http::{Request, header};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::support::{Answer, TestApp};

async fn make(app: &TestApp, body: &Value) -> Answer {
    app.operate_with("POST", "/tokens", body).await
}

async fn use_of(app: &TestApp, token: &Value) -> u16 {
    let bearer = format!("Bearer {}", token.as_str().unwrap());
    let request = Request::get("/control/v1/plans").header(header::AUTHORIZATION, bearer);
    let answer = app.send(request.body(Body::empty()).unwrap()).await;
    answer.status.as_u16()
}

/// A token as it is listed.
async fn listed(app: &TestApp, id: &Value) -> Value {
    let page = app.operate("GET", "/tokens").await.json();
    let tokens = page["tokens"].as_array().unwrap();
    tokens
        .iter()
        .find(|token| token["id"] == *id)
        .unwrap()
        .clone()
}

fn time(text: &Value) -> OffsetDateTime {
    OffsetDateTime::parse(text.as_str().unwrap(), &Rfc3339).unwrap()
}

#[tokio::test]
async fn a_token_ends_after_ninety_days_unless_something_else_is_said() {
    let app = TestApp::start().await;
    for (days, wanted) in [
        (None, Some(90)),
        (Some(json!(7)), Some(7)),
        (Some(Value::Null), None),
    ] {
        let mut body = json!({ "name": "ci" });
        if let Some(days) = days {
            body["days"] = days;
        }
        let made = make(&app, &body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert_eq!(made.headers["cache-control"], "no-store");
        let ends = made.json()["expires_at"].clone();
        let left = wanted.map(|days| app.clock.now() + Duration::days(days));
        let told = (!ends.is_null()).then(|| time(&ends));
        assert_eq!(
            told.map(OffsetDateTime::date),
            left.map(OffsetDateTime::date)
        );
    }
    let made = make(&app, &json!({ "name": "ci" })).await.json();
    assert_eq!(use_of(&app, &made["token"]).await, 200);
    app.clock.advance(Duration::days(91));
    assert_eq!(use_of(&app, &made["token"]).await, 401);
}

#[tokio::test]
async fn a_token_that_is_revoked_stops_at_once() {
    let app = TestApp::start().await;
    let made = make(&app, &json!({ "name": "ci" })).await.json();
    assert_eq!(use_of(&app, &made["token"]).await, 200);
    let path = format!("/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(app.operate("DELETE", &path).await.status, 204);
    assert_eq!(use_of(&app, &made["token"]).await, 401);
    assert_eq!(app.operate("DELETE", &path).await.status, 204, "again");
    assert!(!listed(&app, &made["id"]).await["revoked_at"].is_null());
    // What an earlier version asks for.
    let live = "SELECT count(*) FROM platform.operator_tokens WHERE name = 'ci' \
        AND (expires_at IS NULL OR expires_at > now() + interval '1 day')";
    assert_eq!(app.count(live).await, 0);
    for odd in [
        "/tokens/00000000-0000-0000-0000-000000000000",
        "/tokens/x",
        &path.replace('-', ""),
    ] {
        assert_eq!(app.operate("DELETE", odd).await.status, 404, "{odd}");
    }
}

#[tokio::test]
async fn the_list_shows_no_secret() {
    let app = TestApp::start().await;
    let made = make(&app, &json!({ "name": "ci" })).await.json();
    let page = app.operate("GET", "/tokens").await;
    assert!(
        !page.text.contains("tnt_op_") && !page.text.contains("digest"),
        "{}",
        page.text
    );
    let token = listed(&app, &made["id"]).await;
    assert_eq!(
        (&token["name"], &token["created_by"]),
        (&json!("ci"), &json!("operator:tests"))
    );
    assert!(token["last_used_at"].is_null() && token["revoked_at"].is_null());
}

#[tokio::test]
async fn the_last_use_is_kept_to_a_minute() {
    let app = TestApp::start().await;
    let made = make(&app, &json!({ "name": "ci" })).await.json();
    let mut seen = Vec::new();
    for pause in [0, 30, 29, 1, 59] {
        app.clock.advance(Duration::seconds(pause));
        assert_eq!(use_of(&app, &made["token"]).await, 200);
        seen.push(time(&listed(&app, &made["id"]).await["last_used_at"]));
    }
    let first = seen[0];
    let moved: Vec<_> = seen
        .iter()
        .map(|at| *at >= first + Duration::seconds(60))
        .collect();
    assert_eq!(moved, [false, false, false, true, true]);
    assert_eq!(seen[3], seen[4]);
}

#[tokio::test]
async fn making_and_revoking_are_recorded() {
    let app = TestApp::start().await;
    let made = make(&app, &json!({ "name": "ci" })).await.json();
    let path = format!("/tokens/{}", made["id"].as_str().unwrap());
    for _ in 0..2 {
        app.operate("DELETE", &path).await;
    }
    let events = app.operate("GET", "/events").await;
    assert!(!events.text.contains("tnt_op_"));
    let events = events.json()["events"].as_array().unwrap().clone();
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            (
                event["action"].as_str().unwrap(),
                event["actor"].as_str().unwrap(),
            )
        })
        .collect();
    let by = "operator:tests";
    // The first is the token of the tests themselves.
    assert_eq!(
        told,
        [
            ("token.revoked", by),
            ("token.created", by),
            ("token.created", "command line")
        ]
    );
    assert_eq!(events[0]["detail"]["token"], made["id"]);
    assert_eq!(events[1]["detail"]["name"], "ci");
}

#[tokio::test]
async fn what_cannot_be_a_token_is_refused_with_every_fault() {
    let app = TestApp::start().await;
    let all = ["days", "name"].map(str::to_owned);
    for body in [
        json!({ "days": 0 }),
        json!({ "name": 7, "days": "90" }),
        json!({ "name": null, "days": 3651 }),
        json!({ "name": null, "days": 1.5 }),
    ] {
        let refused = make(&app, &body).await;
        assert_eq!(
            (refused.status.as_u16(), refused.faulty()),
            (422, all.to_vec()),
            "{body}"
        );
    }
    let refused = make(&app, &json!({ "name": "a\u{7}" })).await;
    assert_eq!(refused.faulty(), ["name"]);
    assert_eq!(
        app.operate("GET", "/tokens?cursor=x").await.faulty(),
        ["cursor"]
    );
}

/// Its maker's token is revoked by a transaction that ends between the request's check and its
/// insertion.
#[tokio::test]
async fn a_token_that_is_revoked_meanwhile_makes_no_other() {
    let app = TestApp::start().await;
    let mut admin = app.admin().await;
    // The use is noted before, so that only the insertion waits.
    app.operate("GET", "/plans").await;
    let revoking = admin.transaction().await.unwrap();
    let revoke = "UPDATE platform.operator_tokens SET revoked_at = now()";
    revoking.execute(revoke, &[]).await.unwrap();
    let body = json!({ "name": "ci" });
    let commit = async {
        app.until_blocked().await;
        revoking.commit().await.unwrap();
    };
    let (refused, ()) = tokio::join!(make(&app, &body), commit);
    assert_eq!(refused.status, 401, "{}", refused.text);
    let made = "SELECT count(*) FROM platform.operator_tokens WHERE name = 'ci'";
    assert_eq!(app.count(made).await, 0);
}
