//! How fast those who are known may go, and that strangers do not spend it.

use serde_json::json;
use std::net::IpAddr;
use testkit::{Answer, Client, TestApp, database::connect, wait::until};
use tokio::task::JoinSet;

/// Requests a second of the plan: strangers have half of it, and one address of theirs a quarter.
const RATE: i64 = 20;

fn address(number: u8) -> IpAddr {
    [192, 0, 2, number].into()
}

/// A tenant whose plan has that rate, and its owner, who is signed in.
async fn limited(app: &TestApp) -> (Client, Client) {
    let owner = app.tenant("acme").owner().await;
    let acme = app.tenant("acme").anonymous().await;
    let admin = connect(&app.database.admin()).await.unwrap();
    let sql = format!("UPDATE platform.plans SET requests_per_second = {RATE}");
    admin.batch_execute(&sql).await.unwrap();
    until("the plan's rate is known", async || {
        let stats = owner.get("/tenants/stats").await.expect(200).json();
        stats["max_requests_per_second"] == RATE
    })
    .await;
    (acme, owner)
}

/// Sends requests all at once.
async fn flood(clients: impl IntoIterator<Item = Client>, path: &'static str) -> Vec<Answer> {
    let mut asking = JoinSet::new();
    for client in clients {
        asking.spawn(async move { client.get(path).await });
    }
    asking.join_all().await
}

fn refused(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.status == 429).count()
}

#[tokio::test]
async fn strangers_do_not_spend_the_rate_of_those_who_are_known() {
    let app = TestApp::start().await;
    let (acme, owner) = limited(&app).await;
    let strangers = (0..100).map(|number| acme.clone().at(address(number)));
    let answers = flood(strangers, "/api/ping").await;
    assert!(refused(&answers) > 50, "{}", refused(&answers));
    for _ in 0..15 {
        owner.get("/tenants/info").await.expect(200);
    }
}

#[tokio::test]
async fn one_address_does_not_spend_what_all_strangers_have() {
    let app = TestApp::start().await;
    let (acme, _) = limited(&app).await;
    let one = vec![acme.clone().at(address(1)); 100];
    let answers = flood(one, "/api/ping").await;
    assert!(refused(&answers) > 50, "{}", refused(&answers));
    acme.at(address(2)).get("/api/ping").await.expect(200);
}

#[tokio::test]
async fn an_invented_credential_is_a_strangers() {
    let app = TestApp::start().await;
    let (acme, owner) = limited(&app).await;
    for (name, value) in [
        ("authorization", "Bearer tnt_at_invented"),
        ("authorization", "Basic invented"),
        ("cookie", "tenantry_session=invented"),
    ] {
        let strangers = (0..100).map(|number| acme.clone().with(name, value).at(address(number)));
        let answers = flood(strangers, "/api/protected").await;
        assert!(refused(&answers) > 50, "{value}: {}", refused(&answers));
    }
    for _ in 0..15 {
        owner.get("/tenants/info").await.expect(200);
    }
}

#[tokio::test]
async fn those_who_are_known_have_the_plans_rate() {
    let app = TestApp::start().await;
    let (_, owner) = limited(&app).await;
    let answers = flood(vec![owner; 100], "/tenants/info").await;
    let answer = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(answer.header("ratelimit-policy"), "\"requests\";q=20;w=1");
}

#[tokio::test]
async fn a_client_that_proves_itself_is_known_and_what_cannot_be_read_is_a_strangers() {
    let app = TestApp::start().await;
    let (id, secret) = app.tenant("acme").client().await;
    let (acme, _) = limited(&app).await;
    let mut junk = JoinSet::new();
    for number in 0..100 {
        let stranger = acme.clone().at(address(number));
        junk.spawn(async move {
            stranger
                .post("/oauth/token", json!({"grant_type": 1}))
                .await
        });
    }
    let answers = junk.join_all().await;
    assert!(refused(&answers) > 50, "{}", refused(&answers));
    for _ in 0..10 {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", id.as_str()),
            ("client_secret", secret.as_str()),
        ];
        acme.form("/oauth/token", &fields).await.expect(200);
    }
}
