//! Plans: offered to strangers, edited by operators.

use control_plane::SignUps;
use serde_json::{Value, json};

use crate::support::{TestApp, application, application_with};

async fn offered(app: &TestApp) -> Vec<String> {
    let offer = app.get("/tenants/plans").await.json();
    let plans = offer["plans"].as_array().unwrap();
    let name = |plan: &Value| plan["name"].as_str().unwrap().to_owned();
    plans.iter().map(name).collect()
}

async fn close(app: &TestApp, plan: &str) {
    let closed = json!({ "self_serve": false });
    let path = format!("/plans/{plan}");
    let answer = app.operate_with("PUT", &path, &closed).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

fn team() -> Value {
    json!({
        "position": 9, "self_serve": true, "max_users": 20, "max_clients": null, "max_notes": 5,
        "requests_per_second": 50, "storage_bytes": 1_000_000, "api_calls_per_month": null,
    })
}

/// The actions of the platform's record, the latest first.
async fn recorded(app: &TestApp) -> Vec<String> {
    let events = app.operate("GET", "/events").await.json();
    let events = events["events"].as_array().unwrap().clone();
    let action = |event: &Value| event["action"].as_str().unwrap().to_owned();
    events.iter().map(action).collect()
}

#[tokio::test]
async fn anyone_sees_the_plans_and_their_limits() {
    let app = TestApp::start().await;
    let offer = app.get("/tenants/plans").await.json();
    assert_eq!(
        (&offer["signup"], &offer["contact"]),
        (&json!("open"), &Value::Null)
    );
    assert_eq!(
        offer["plans"][0],
        json!({
            "name": "free", "title": "Free", "max_users": 10, "max_clients": 5, "max_notes": 1000,
            "requests_per_second": 500, "storage_bytes": 104_857_600, "api_calls_per_month": 100_000,
        })
    );
    assert!(offer["plans"][3]["max_users"].is_null());
    assert_eq!(
        offered(&app).await,
        ["free", "basic", "premium", "enterprise"]
    );
}

#[tokio::test]
async fn a_stranger_takes_no_plan_that_is_not_self_serve() {
    let app = TestApp::start().await;
    close(&app, "premium").await;
    assert_eq!(offered(&app).await, ["free", "basic", "enterprise"]);
    let wanted = application_with("acme", "plan", "premium");
    let refused = app.register(&wanted).await;
    assert_eq!(
        (refused.status.as_u16(), refused.faulty()),
        (422, vec!["plan".to_owned()])
    );
    assert!(!refused.text.contains("premium"), "{}", refused.text);
    let made = app.operate_with("POST", "/tenants", &wanted).await;
    assert_eq!(made.json()["tenant"]["plan"], "premium");
}

#[tokio::test]
async fn the_default_is_the_first_that_the_applicant_may_choose() {
    let app = TestApp::start().await;
    close(&app, "free").await;
    assert_eq!(app.tenant("acme").await["tenant"]["plan"], "basic");
    let made = app
        .operate_with("POST", "/tenants", &application("globex"))
        .await;
    assert_eq!(made.json()["tenant"]["plan"], "free");
}

/// The plan is closed by a transaction that ends between the sign-up's check and its insertion.
#[tokio::test]
async fn a_plan_that_closes_during_a_sign_up_is_closed_to_it() {
    let app = TestApp::start().await;
    let mut admin = app.admin().await;
    let closing = admin.transaction().await.unwrap();
    let close = "UPDATE platform.plans SET self_serve = false WHERE name = 'basic'";
    closing.execute(close, &[]).await.unwrap();
    let wanted = application_with("acme", "plan", "basic");
    let sign_up = app.register(&wanted);
    let commit = async {
        app.until_blocked().await;
        closing.commit().await.unwrap();
    };
    let (refused, ()) = tokio::join!(sign_up, commit);
    assert_eq!(
        (refused.status.as_u16(), refused.faulty()),
        (422, vec!["plan".to_owned()])
    );
    assert_eq!(app.count("SELECT count(*) FROM platform.tenants").await, 0);
}

#[tokio::test]
async fn closed_sign_up_says_so_and_whom_to_ask() {
    let app = TestApp::with(|settings| {
        settings.signup = SignUps::Closed;
        settings.signup_contact = Some("ops@example.com".to_owned());
    })
    .await;
    let offer = app.get("/tenants/plans").await.json();
    assert_eq!(
        (&offer["signup"], &offer["contact"]),
        (&json!("closed"), &json!("ops@example.com"))
    );
    let refused = app.register(&application("acme")).await;
    assert_eq!(refused.problem(), "registration-closed");
    assert!(refused.text.contains("ops@example.com"));
}

#[tokio::test]
async fn an_operator_changes_what_is_named_and_nothing_else() {
    let app = TestApp::start().await;
    let before = app.operate("GET", "/plans").await.json()["plans"][0].clone();
    let change = json!({ "max_users": 20, "max_notes": null });
    let after = app.operate_with("PUT", "/plans/free", &change).await.json();
    let mut wanted = before;
    wanted["max_users"] = json!(20);
    wanted["max_notes"] = Value::Null;
    wanted.as_object_mut().unwrap().remove("tenants");
    assert_eq!(after, wanted);
    assert_eq!(recorded(&app).await[0], "plan.changed");
}

#[tokio::test]
async fn a_change_that_changes_nothing_is_not_recorded() {
    let app = TestApp::start().await;
    let before = recorded(&app).await;
    for same in [json!({}), json!({ "max_users": 10 })] {
        assert_eq!(
            app.operate_with("PUT", "/plans/free", &same).await.status,
            200
        );
    }
    assert_eq!(recorded(&app).await, before);
}

#[tokio::test]
async fn a_new_plan_is_whole_or_refused_with_every_fault() {
    let app = TestApp::start().await;
    let refused = app
        .operate_with("PUT", "/plans/team", &json!({ "max_users": -1 }))
        .await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.faulty().len(), 8, "{}", refused.text);
    let made = app.operate_with("PUT", "/plans/team", &team()).await;
    assert_eq!(made.status, 200, "{}", made.text);
    assert_eq!(offered(&app).await.last().unwrap(), "team");
    assert_eq!(recorded(&app).await[0], "plan.created");
    let odd = app.operate_with("PUT", "/plans/Te%20am", &team()).await;
    assert_eq!(
        (odd.status.as_u16(), odd.faulty()),
        (422, vec!["name".to_owned()])
    );
}

#[tokio::test]
async fn a_plan_in_use_is_not_removed() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let refused = app.operate("DELETE", "/plans/free").await;
    assert_eq!(
        (refused.status.as_u16(), refused.json()["tenants"].clone()),
        (409, json!(1))
    );
    assert_eq!(app.operate("DELETE", "/plans/basic").await.status, 204);
    assert_eq!(app.operate("DELETE", "/plans/basic").await.status, 404);
    assert_eq!(recorded(&app).await[0], "plan.removed");
    let moved = app
        .operate_with("PUT", "/tenants/acme/plan", &json!({ "plan": "basic" }))
        .await;
    assert_eq!(
        (moved.status.as_u16(), moved.faulty()),
        (422, vec!["plan".to_owned()])
    );
}

/// Two that make the same plan at once: one is told that it is taken, neither meets a 500.
#[tokio::test]
async fn a_plan_made_twice_at_once_is_made_once() {
    let app = TestApp::start().await;
    let new = team();
    let make = || app.operate_with("PUT", "/plans/team", &new);
    let (one, two) = tokio::join!(make(), make());
    for answer in [one, two] {
        assert!(
            [200, 409].contains(&answer.status.as_u16()),
            "{}",
            answer.text
        );
    }
    let actions = recorded(&app).await;
    assert_eq!(
        actions
            .iter()
            .filter(|action| *action == "plan.created")
            .count(),
        1
    );
}
