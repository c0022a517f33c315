//! Clients that hang up in the middle of a request, at random points, under load: no later
//! request fails, or sees another tenant's role, path or transaction.

use std::{net::SocketAddr, time::Duration};

use serde_json::json;
use service::{Entropy, telemetry::Metrics};
use testkit::{Client, TestApp, figure, seed};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

const HANG_UPS: usize = 10_000;
const AT_ONCE: usize = 64;
const TENANTS: [&str; 4] = ["acme", "globex", "initech", "umbrella"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hang_ups_harm_nobody_else() {
    let metrics = Metrics::start();
    let app = TestApp::start().await;
    unlimited(&app).await;
    let entropy = seed::printed();
    let address = app.serve().await;
    let mut users = Vec::new();
    for slug in TENANTS {
        let owner = app.tenant(slug).owner_token("read write admin").await;
        owner
            .post("/api/notes", json!({"title": slug}))
            .await
            .expect(201);
        let info = owner.get("/tenants/info").await.expect(200).json();
        let id = info["member"]["id"].as_str().unwrap().to_owned();
        users.push((slug, owner, id));
    }

    let mut hanging = JoinSet::new();
    for turn in 0..HANG_UPS {
        let (slug, user, id) = &users[turn % users.len()];
        hanging.spawn(hang_up(
            address,
            request(slug, user, id, turn),
            entropy.clone(),
        ));
        if hanging.len() >= AT_ONCE {
            hanging.join_next().await.unwrap().unwrap();
        }
        if turn % 10 == 0 {
            for (slug, user, _) in &users {
                sees_its_own_alone(slug, user).await;
            }
        }
    }
    hanging.join_all().await;
    for _ in 0..100 {
        for (slug, user, _) in &users {
            sees_its_own_alone(slug, user).await;
        }
    }
    assert_counts(&metrics);
}

/// What a client that hung up has asked for still waits in PostgreSQL: its connection goes to nobody
/// until that is over, though others are wanted.
#[tokio::test]
async fn a_statement_given_up_holds_nobody_up() {
    let app = TestApp::configured(|settings| settings.database.lock_timeout_ms = 60_000).await;
    let admin = unlimited(&app).await;
    let address = app.serve().await;
    let owner = app.tenant("acme").owner_token("read admin").await;
    // Twice: a statement that is new to a connection is another case.
    for _ in 0..2 {
        owner.get("/api/notes?limit=5").await.expect(200);
    }
    // Within a transaction, what is seen of others would stay as it is.
    let other = testkit::database::connect(&app.database.admin())
        .await
        .unwrap();
    let held = "BEGIN; LOCK TABLE tenant_acme.notes IN ACCESS EXCLUSIVE MODE";
    other.batch_execute(held).await.unwrap();
    let waiting = async || {
        let count = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
            AND datname = current_database()";
        let row = admin.query_one(count, &[]).await.unwrap();
        row.get::<_, i64>(0)
    };

    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = request("acme", &owner, "", 2 * TENANTS.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    while waiting().await == 0 {
        tokio::task::yield_now().await;
    }
    // The server hangs up in its turn once it has noticed.
    stream.shutdown().await.unwrap();
    stream.read_to_end(&mut Vec::new()).await.unwrap();
    for _ in 0..100 {
        owner.get("/tenants/users").await.expect(200);
    }
    assert_eq!(waiting().await, 1, "they have waited until it was over");
    other.batch_execute("ROLLBACK").await.unwrap();
    owner.get("/api/notes").await.expect(200);
}

/// Connections were thrown away, and none is thought to be in use for ever.
fn assert_counts(metrics: &Metrics) {
    let of = |name| figure(metrics, name).unwrap();
    assert!(of("tenant_connections_discarded_total") > 0.0);
    assert!(of("tenant_connections_in_use").abs() < 0.5);
    let open = of("tenant_connections");
    assert!((1.0..=of("tenant_connections_limit")).contains(&open));
}

/// No plan has a rate. The administrator's connection.
async fn unlimited(app: &TestApp) -> tokio_postgres::Client {
    let admin = testkit::database::connect(&app.database.admin())
        .await
        .unwrap();
    let lifted = "UPDATE platform.plans SET requests_per_second = NULL";
    admin.batch_execute(lifted).await.unwrap();
    admin
}

/// What somebody begins to ask: reads and writes of one round trip, and changes of a user that
/// take several, in a transaction that stays open between them.
fn request(slug: &str, user: &Client, id: &str, turn: usize) -> String {
    let body = format!(r#"{{"title":"{slug}","is_active":true,"role":"owner"}}"#);
    let (method, path) = match turn / TENANTS.len() % 5 {
        0 => ("POST", "/api/notes".to_owned()),
        1 => ("GET", "/api/notes?limit=200&sort=title".to_owned()),
        2 => ("GET", "/api/notes?limit=5".to_owned()),
        3 => ("PUT", format!("/tenants/users/{id}/role")),
        _ => ("PATCH", format!("/tenants/users/{id}")),
    };
    format!(
        "{method} {path} HTTP/1.1\r\nhost: {slug}.localhost\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        user.token(),
        body.len()
    )
}

/// Sends some or all of a request and goes, at a random moment within two milliseconds.
async fn hang_up(address: SocketAddr, request: String, entropy: Entropy) {
    let [part, wait, whole, _] = entropy.bytes::<4>();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let end = if whole < 200 {
        request.len()
    } else {
        request.len() * usize::from(part) / 256
    };
    stream.write_all(&request.as_bytes()[..end]).await.unwrap();
    tokio::time::sleep(Duration::from_micros(u64::from(wait) * 8)).await;
}

async fn sees_its_own_alone(slug: &str, user: &Client) {
    let page = user.get("/api/notes?limit=5").await.expect(200).json();
    let notes = page["notes"].as_array().unwrap();
    assert!(!notes.is_empty());
    assert!(
        notes.iter().all(|note| note["title"] == slug),
        "{slug} sees {page}"
    );
}
