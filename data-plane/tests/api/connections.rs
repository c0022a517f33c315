//! Connections that are replaced, and a database that takes no writes.

use service::telemetry::Metrics;
use testkit::{TestApp, database::connect, figure, wait::until};

/// With a bound that every connection is beyond, each is replaced again and again.
#[tokio::test]
async fn replacing_connections_fails_no_request() {
    let metrics = Metrics::start();
    let app = TestApp::configured(|settings| {
        settings.database.connection_memory_mib = std::num::NonZeroU64::MIN;
        settings.database.connection_lifetime_seconds = 0;
    })
    .await;
    let owner = app.tenant("acme").owner_token("read").await;
    let opened = || figure(&metrics, "tenant_connections_opened_total").unwrap_or(0.0);
    let before = opened();
    until("connections are replaced", async || {
        owner.get("/api/notes").await.expect(200);
        opened() > before + 1.0
    })
    .await;
}

#[tokio::test]
async fn a_database_that_is_read_only_is_not_ready() {
    let app = TestApp::start().await;
    app.anonymous().get("/health/ready").await.expect(200);
    let admin = connect(&app.database.admin()).await.unwrap();
    let name = app.database.name();
    let read_only = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    admin.batch_execute(&read_only).await.unwrap();
    let others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    admin.query(others, &[]).await.unwrap();
    until("it says so, on connections that are new", async || {
        let answer = app.anonymous().get("/health/ready").await;
        answer.status == 503 && answer.json()["failing"][0] == "registry-writes"
    })
    .await;
}
