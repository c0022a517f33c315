//! What a request is answered when the database does not do what was asked of it: never 500.

use serde_json::json;
use testkit::{Answer, Client, TestApp, app::PASSWORD, database::connect};
use tokio_postgres::Client as Database;

/// Ends every connection but the test's own, and waits until they have ended.
const TERMINATE: &str = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
    WHERE datname = current_database() AND pid <> pg_backend_pid()";

async fn admin(app: &TestApp) -> Database {
    connect(&app.database.admin()).await.unwrap()
}

async fn note(client: &Client) -> Answer {
    let body = json!({"title": "plan", "body": ""});
    client.post("/api/notes", body).await
}

#[track_caller]
fn passes(answer: Answer, kind: &str) {
    let answer = answer.expect(503);
    assert_eq!(answer.problem(), kind);
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds));
}

#[tokio::test]
async fn a_read_only_database_reads_and_says_when_to_write_again() {
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "read write").await;
    let (admin, name) = (admin(&app).await, app.database.name());
    let read_only = format!("ALTER DATABASE {name} SET default_transaction_read_only = ");

    admin
        .batch_execute(&format!("{read_only} on; {TERMINATE}"))
        .await
        .unwrap();
    passes(note(&ada).await, "unavailable");
    ada.get("/api/notes").await.expect(200);
    let credentials = json!({"username": "ada", "password": PASSWORD});
    let acme = app.tenant("acme").anonymous().await;
    passes(acme.post("/oauth/login", credentials).await, "unavailable");

    admin
        .batch_execute(&format!("{read_only} off; {TERMINATE}"))
        .await
        .unwrap();
    note(&ada).await.expect(201);
}

#[tokio::test]
async fn connections_that_end_cost_no_answer_that_can_be_had_again() {
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "read write").await;
    let admin = admin(&app).await;
    for _ in 0..20 {
        admin.batch_execute(TERMINATE).await.unwrap();
        ada.get("/api/notes").await.expect(200);
        admin.batch_execute(TERMINATE).await.unwrap();
        note(&ada).await.expect(201);
    }
}

#[tokio::test]
async fn a_database_that_takes_no_connection_is_unavailable() {
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "read write").await;
    let (admin, name) = (admin(&app).await, app.database.name());
    let limit = format!("ALTER DATABASE {name} CONNECTION LIMIT");
    admin.batch_execute(&format!("{limit} 0")).await.unwrap();
    admin.batch_execute(TERMINATE).await.unwrap();
    passes(ada.get("/api/notes").await, "unavailable");
    passes(note(&ada).await, "unavailable");
    let unknown = app.anonymous().with("x-tenant-slug", "globex");
    passes(unknown.get("/api/ping").await, "unavailable");

    admin.batch_execute(&format!("{limit} -1")).await.unwrap();
    note(&ada).await.expect(201);
}

#[tokio::test]
async fn a_tenant_that_is_behind_is_not_ready() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let (ada, owner) = (acme.user("ada", "read write").await, acme.owner().await);
    note(&ada).await.expect(201);
    let older = "ALTER TABLE tenant_acme.notes DROP COLUMN body; \
        DROP TABLE tenant_acme.usage; \
        UPDATE platform.tenants SET schema_version = 2 WHERE slug = 'acme'";
    admin(&app).await.batch_execute(older).await.unwrap();
    passes(ada.get("/api/notes").await, "tenant-not-ready");
    passes(note(&ada).await, "tenant-not-ready");
    owner.get("/tenants/users").await.expect(200);
}

#[tokio::test]
async fn a_tenant_that_is_removed_meanwhile_is_not_ready_either() {
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "read write").await;
    let admin = admin(&app).await;
    admin
        .batch_execute("DROP SCHEMA tenant_acme CASCADE")
        .await
        .unwrap();
    passes(ada.get("/api/notes").await, "tenant-not-ready");

    let role = "SELECT role_name FROM platform.tenants WHERE slug = 'acme'";
    let role: String = admin.query_one(role, &[]).await.unwrap().get(0);
    admin
        .batch_execute(&format!("DROP ROLE {role}"))
        .await
        .unwrap();
    passes(ada.get("/api/notes").await, "tenant-not-ready");
    passes(note(&ada).await, "tenant-not-ready");
}

#[tokio::test]
async fn whoever_is_removed_meanwhile_is_not_known_any_more() {
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "read write").await;
    ada.get("/api/notes").await.expect(200);
    let remove = "DELETE FROM tenant_acme.users WHERE username = 'ada'";
    admin(&app).await.batch_execute(remove).await.unwrap();
    assert_eq!(note(&ada).await.expect(401).problem(), "unauthorized");
}

#[tokio::test]
async fn a_sign_in_whose_user_is_removed_before_it_ends_is_refused() {
    let app = TestApp::start().await;
    app.tenant("acme").member("ada").await;
    let acme = app.tenant("acme").anonymous().await;
    let admin = admin(&app).await;
    let remove = "BEGIN; DELETE FROM tenant_acme.users WHERE username = 'ada'";
    admin.batch_execute(remove).await.unwrap();

    let credentials = json!({"username": "ada", "password": PASSWORD});
    let sign_in = tokio::spawn(async move { acme.post("/oauth/login", credentials).await });
    let waiting = "SELECT FROM pg_locks WHERE NOT granted AND database = \
        (SELECT oid FROM pg_database WHERE datname = current_database()) \
        UNION ALL SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid' \
        AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())";
    while admin.query(waiting, &[]).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    admin.batch_execute("COMMIT").await.unwrap();
    let answer = sign_in.await.unwrap().expect(401);
    assert!(!answer.headers.contains_key("set-cookie"));
}
