//! Guessing passwords takes ever longer, and locks nobody out of a device of their own.

use std::net::IpAddr;

use serde_json::{Value, json};
use testkit::{Answer, Client, TestApp, app::PASSWORD, database::connect, wait::until};
use time::Duration;
use tokio::task::JoinSet;

const WRONG: &str = "wrong password";

/// Address number `number` of many, no two of which are one network.
fn address(number: u16) -> IpAddr {
    let [high, low] = number.to_be_bytes();
    [198, 18, high, low].into()
}

async fn sign_in(client: &Client, name: &str, password: &str) -> Answer {
    let body = json!({ "username": name, "password": password });
    client.post("/oauth/login", body).await
}

/// How many of some guesses of a name, each from an address of its own, were answered how.
async fn guess(acme: &Client, name: &str, addresses: std::ops::Range<u16>) -> Vec<u16> {
    let mut statuses = Vec::new();
    for number in addresses {
        let answer = sign_in(&acme.clone().at(address(number)), name, WRONG).await;
        statuses.push(answer.status.as_u16());
    }
    statuses
}

fn count(statuses: &[u16], status: u16) -> usize {
    statuses.iter().filter(|other| **other == status).count()
}

fn without_id(answer: &Answer) -> Value {
    let mut body = answer.json();
    body.as_object_mut().unwrap().remove("request_id");
    body
}

#[tokio::test]
async fn one_name_is_not_guessed_from_however_many_addresses() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    let statuses = guess(&acme, "owner", 0..130).await;
    assert_eq!(statuses[..10], [401; 10]);
    assert!(count(&statuses, 429) >= 100, "{statuses:?}");
    let refused = sign_in(&acme.at(address(200)), "owner", PASSWORD)
        .await
        .expect(429);
    assert_eq!(refused.problem(), "rate-limited");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert!(
        refused
            .header("ratelimit-policy")
            .contains("failed-sign-ins")
    );
}

#[tokio::test]
async fn a_name_that_is_nobodys_is_refused_like_any_other() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    let known = guess(&acme, "owner", 0..11).await;
    let unknown = guess(&acme, "nobody", 20..31).await;
    assert_eq!(known, unknown);
    let known = sign_in(&acme, "owner", WRONG).await.expect(429);
    let unknown = sign_in(&acme, "nobody", WRONG).await.expect(429);
    assert_eq!(without_id(&known), without_id(&unknown));
}

#[tokio::test]
async fn one_address_does_not_guess_at_however_many_names() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    let guesser = acme.clone().at(address(1));
    let mut statuses = Vec::new();
    for number in 0..150 {
        let answer = sign_in(&guesser, &format!("name{number}"), WRONG).await;
        statuses.push(answer.status.as_u16());
    }
    assert_eq!(statuses[..100], [401; 100]);
    assert!(count(&statuses, 429) >= 40, "{statuses:?}");
    sign_in(&acme.at(address(2)), "owner", PASSWORD)
        .await
        .expect(200);
}

#[tokio::test]
async fn username_and_email_are_one_account() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    let by_name = guess(&acme, "owner", 0..5).await;
    let by_email = guess(&acme, "owner@acme.example", 5..10).await;
    assert_eq!([by_name, by_email].concat(), [401; 10]);
    for name in ["owner", "OWNER@ACME.example"] {
        sign_in(&acme, name, PASSWORD).await.expect(429);
    }
}

#[tokio::test]
async fn the_owners_own_device_signs_in_while_others_guess() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    let first = sign_in(&acme, "owner", PASSWORD).await.expect(200);
    let own = acme.clone().with("cookie", &device_cookie(&first));
    guess(&acme, "owner", 0..20).await;
    sign_in(&acme.clone().at(address(30)), "owner", PASSWORD)
        .await
        .expect(429);
    let again = sign_in(&own, "owner", PASSWORD).await.expect(200);
    assert_eq!(device_cookie(&again), device_cookie(&first));
    sign_in(&own, "owner", WRONG).await.expect(401);
    sign_in(&own, "owner", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_stolen_device_cookie_is_no_free_pass() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    let first = sign_in(&acme, "owner", PASSWORD).await.expect(200);
    app.tenant("acme").member("bob").await;
    guess(&acme, "owner", 0..20).await;
    let stolen = acme.clone().with("cookie", &device_cookie(&first));
    for _ in 0..10 {
        sign_in(&stolen, "owner", WRONG).await.expect(401);
    }
    sign_in(&stolen, "owner", WRONG).await.expect(429);
    // Nor is it worth anything at another account.
    guess(&acme, "bob", 40..60).await;
    sign_in(&stolen, "bob", PASSWORD).await.expect(429);
}

#[tokio::test]
async fn counts_outlive_a_process_and_are_shared() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    guess(&acme, "owner", 0..20).await;
    let elsewhere = app.another_node().with("x-tenant-slug", "acme");
    sign_in(&elsewhere, "owner", PASSWORD).await.expect(429);
    app.clock.advance(Duration::minutes(20));
    sign_in(&elsewhere, "owner", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn guesses_at_the_same_moment_do_not_slip_by() {
    let app = TestApp::configured(|settings| {
        // Three of one tenant wait at each node, for as long as it takes.
        settings.database.lock_timeout_ms = 60_000;
    })
    .await;
    let acme = app.tenant("acme").anonymous().await;
    sign_in(&acme, "owner", WRONG).await.expect(401);
    let admin = connect(&app.database.admin()).await.unwrap();
    let holder = connect(&app.database.admin()).await.unwrap();
    let hold = "BEGIN; SELECT FROM tenant_acme.sign_in_failures FOR UPDATE";
    holder.batch_execute(hold).await.unwrap();
    // A node by itself checks three at once.
    let nodes = [(); 5].map(|()| app.another_node());
    let mut guesses = JoinSet::new();
    for number in 0..15 {
        let node = nodes[usize::from(number % 5)].clone();
        let guesser = node.with("x-tenant-slug", "acme").at(address(number));
        guesses.spawn(async move { sign_in(&guesser, "owner", WRONG).await.status.as_u16() });
    }
    // All have seen that nothing is blocked, and wait to be counted.
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                   AND datname = current_database()";
    until("all guesses wait", async || {
        let row = admin.query_one(waiting, &[]).await.unwrap();
        row.get::<_, i64>(0) == 15
    })
    .await;
    holder.batch_execute("COMMIT").await.unwrap();
    let statuses = guesses.join_all().await;
    assert_eq!((count(&statuses, 401), count(&statuses, 429)), (9, 6));
}

#[tokio::test]
async fn right_passwords_at_the_same_moment_are_not_taken_for_guesses() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    let mut right = JoinSet::new();
    for _ in 0..60 {
        let acme = acme.clone();
        right.spawn(async move { sign_in(&acme, "owner", PASSWORD).await.status.as_u16() });
    }
    assert_eq!(right.join_all().await, [200; 60]);
}

#[tokio::test]
async fn the_password_grant_counts_by_client_and_account() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    let (id, secret) = app.tenant("acme").client().await;
    let grant = async |name: &str, password: &str| {
        let fields = [
            ("grant_type", "password"),
            ("username", name),
            ("password", password),
            ("client_id", id.as_str()),
            ("client_secret", secret.as_str()),
        ];
        acme.form("/oauth/token", &fields).await.status.as_u16()
    };
    for name in ["owner", "nobody"] {
        for _ in 0..10 {
            assert_eq!(grant(name, WRONG).await, 400, "{name}");
        }
        assert_eq!(grant(name, PASSWORD).await, 429, "{name}");
    }
    sign_in(&acme, "owner", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn few_devices_are_remembered_and_those_that_came_back_longest() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    let first = sign_in(&acme, "owner", PASSWORD).await.expect(200);
    let own = acme.clone().with("cookie", &device_cookie(&first));
    sign_in(&own, "owner", PASSWORD).await.expect(200);
    for _ in 0..25 {
        sign_in(&acme, "owner", PASSWORD).await.expect(200);
    }
    assert_eq!(rows(&app, "known_devices").await, 20);
    guess(&acme, "owner", 0..20).await;
    sign_in(&own, "owner", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn counts_that_are_over_are_swept_away() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    for number in 0..90 {
        sign_in(
            &acme.clone().at(address(number)),
            &format!("name{number}"),
            WRONG,
        )
        .await;
    }
    app.clock.advance(Duration::hours(25));
    let expired = format!("sign_in_failures WHERE expires_at <= '{}'", app.clock.now());
    // One attempt in 64 sweeps.
    for number in 1000..3000 {
        sign_in(&acme.clone().at(address(number)), "nobody", WRONG).await;
        if number % 8 == 0 && rows(&app, &expired).await == 0 {
            return;
        }
    }
    panic!("nothing is swept");
}

async fn rows(app: &TestApp, which: &str) -> i64 {
    let admin = connect(&app.database.admin()).await.unwrap();
    let sql = format!("SELECT count(*) FROM tenant_acme.{which}");
    admin.query_one(&sql, &[]).await.unwrap().get(0)
}

/// The device's cookie, as a browser sends it back.
fn device_cookie(answer: &Answer) -> String {
    let cookies = answer.headers.get_all("set-cookie").iter();
    let texts = cookies.map(|value| value.to_str().unwrap());
    let device = texts.filter(|text| text.starts_with("tenantry_device="));
    let [cookie] = device.collect::<Vec<_>>()[..] else {
        panic!("one cookie: {:?}", answer.headers)
    };
    assert!(
        cookie.contains("; Path=/; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    cookie.split(';').next().unwrap().to_owned()
}
