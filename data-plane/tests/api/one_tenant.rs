//! A tenant whose requests all wait, and its neighbours: what one does takes nothing from the others.

use service::telemetry::Metrics;
use testkit::{Client, TestApp, database::connect, figure, wait::until};
use tokio::task::JoinSet;

const LOCK: &str = "BEGIN; LOCK TABLE tenant_acme.notes IN ACCESS EXCLUSIVE MODE";

/// An app in which nothing that waits is given up.
async fn patient() -> TestApp {
    TestApp::configured(|settings| {
        settings.database.lock_timeout_ms = 60_000;
        settings.database.statement_timeout_ms = 60_000;
        settings.database.connection_wait_ms = 60_000;
    })
    .await
}

/// So many requests for a table that is locked, on their way.
async fn stuck(app: &TestApp, user: &Client, requests: usize) -> JoinSet<u16> {
    let mut under_way = JoinSet::new();
    for _ in 0..requests {
        let user = user.clone();
        under_way.spawn(async move { user.get("/api/notes").await.status.as_u16() });
    }
    let admin = connect(&app.database.admin()).await.unwrap();
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
        AND datname = current_database()";
    until("a request waits for the lock", async || {
        admin
            .query_one(waiting, &[])
            .await
            .unwrap()
            .get::<_, i64>(0)
            > 0
    })
    .await;
    under_way
}

#[tokio::test]
async fn a_locked_table_takes_no_neighbours_connection() {
    // A lock is waited for as long as usual: a neighbour that this machine makes slow has its turn then.
    let app = TestApp::configured(|settings| settings.database.connection_wait_ms = 60_000).await;
    let admin = connect(&app.database.admin()).await.unwrap();
    let acme = app.tenant("acme").owner_token("read").await;
    let mut neighbours = Vec::new();
    // Two of each lane.
    for number in 0..8 {
        let slug = format!("neighbour-{number}");
        neighbours.push(app.tenant(&slug).owner_token("read").await);
    }
    admin.batch_execute(LOCK).await.unwrap();
    let under_way = stuck(&app, &acme, 40).await;
    for _ in 0..5 {
        let mut asked = JoinSet::new();
        for user in neighbours.clone() {
            asked.spawn(async move { user.get("/api/notes").await.expect(200) });
        }
        asked.join_all().await;
    }
    admin.batch_execute("ROLLBACK").await.unwrap();
    let answered = under_way.join_all().await;
    assert!(answered.iter().all(|status| [200, 503].contains(status)));
}

#[tokio::test]
async fn a_lock_is_waited_for_two_seconds_and_then_said_to_be_unavailable() {
    let app = TestApp::configured(|settings| settings.database.lock_timeout_ms = 50).await;
    let admin = connect(&app.database.admin()).await.unwrap();
    let acme = app.tenant("acme").owner_token("read").await;
    admin.batch_execute(LOCK).await.unwrap();
    let answer = acme.get("/api/notes").await.expect(503);
    assert!(!answer.header("retry-after").is_empty());
    admin.batch_execute("ROLLBACK").await.unwrap();
    acme.get("/api/notes").await.expect(200);
}

/// A neighbour would wait for another connection, on which nothing of its own is prepared.
#[tokio::test]
async fn a_table_that_stays_locked_costs_no_connection() {
    let metrics = Metrics::start();
    let app = TestApp::configured(|settings| settings.database.lock_timeout_ms = 50).await;
    let admin = connect(&app.database.admin()).await.unwrap();
    let acme = app.tenant("acme").owner_token("read write").await;
    let opened = || figure(&metrics, "tenant_connections_opened_total").unwrap();
    let before = opened();
    admin.batch_execute(LOCK).await.unwrap();
    for _ in 0..3 {
        acme.get("/api/notes").await.expect(503);
        acme.get("/api/notes/1").await.expect(503);
    }
    admin.batch_execute("ROLLBACK").await.unwrap();
    acme.get("/api/notes").await.expect(200);
    assert!(opened() - before < 0.5);
}

/// Beyond what may wait, a request is answered at once.
#[tokio::test]
async fn how_many_requests_of_a_tenant_wait_is_bounded() {
    let app = patient().await;
    let admin = connect(&app.database.admin()).await.unwrap();
    admin
        .batch_execute("UPDATE platform.plans SET requests_per_second = NULL")
        .await
        .unwrap();
    let acme = app.tenant("acme").owner_token("read").await;
    admin.batch_execute(LOCK).await.unwrap();
    let mut under_way = stuck(&app, &acme, 600).await;
    let first = under_way.join_next().await.unwrap().unwrap();
    assert_eq!(first, 503, "answered while the table is still locked");
    admin.batch_execute("ROLLBACK").await.unwrap();
    let answered = under_way.join_all().await;
    assert!(answered.iter().filter(|status| **status == 200).count() >= 400);
}
