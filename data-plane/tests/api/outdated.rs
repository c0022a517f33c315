//! Statements that were prepared before somebody changed the tables they are about.

use serde_json::json;
use testkit::{TestApp, database::connect};
use tokio::task::JoinSet;

const CHANGE: &str = "ALTER TABLE tenant_acme.notes ALTER COLUMN title TYPE varchar(300)";

#[tokio::test]
async fn a_changed_column_fails_no_request() {
    let app = TestApp::start().await;
    let admin = connect(&app.database.admin()).await.unwrap();
    let owner = app.tenant("acme").owner_token("read write").await;
    let note = json!({"title": "plan"});
    for change in [
        "SELECT 1",
        CHANGE,
        "ALTER TABLE tenant_acme.notes ADD COLUMN more text",
    ] {
        admin.batch_execute(change).await.unwrap();
        // A list is one statement; a new note is a transaction of several.
        owner.get("/api/notes").await.expect(200);
        owner.post("/api/notes", note.clone()).await.expect(201);
        owner.get("/api/notes/1").await.expect(200);
    }
}

/// Each connection has prepared the statement for itself.
#[tokio::test]
async fn every_connection_prepares_an_outdated_statement_anew() {
    let app = TestApp::start().await;
    let admin = connect(&app.database.admin()).await.unwrap();
    let owner = app.tenant("acme").owner_token("read write").await;
    let all_at_once = async || {
        let mut under_way = JoinSet::new();
        for _ in 0..8 {
            let owner = owner.clone();
            under_way.spawn(async move { owner.get("/api/notes?limit=1").await.expect(200) });
        }
        under_way.join_all().await;
    };
    all_at_once().await;
    admin.batch_execute(CHANGE).await.unwrap();
    all_at_once().await;
}

#[tokio::test]
async fn a_changed_registry_fails_no_request() {
    let app = TestApp::start().await;
    let admin = connect(&app.database.admin()).await.unwrap();
    let (operator, node) = (app.operator().await, app.another_node());
    app.tenant("acme").anonymous().await;
    for change in [
        "SELECT 1",
        "ALTER TABLE platform.tenants ALTER COLUMN name TYPE varchar(200)",
        "ALTER TABLE platform.plans ADD COLUMN more text",
    ] {
        admin.batch_execute(change).await.unwrap();
        // A notice of the change, after which the registry is asked again.
        let touch = "UPDATE platform.tenants SET name = name";
        admin.batch_execute(touch).await.unwrap();
        operator.get("/control/v1/tenants/acme").await.expect(200);
        node.clone()
            .with("x-tenant-slug", "acme")
            .get("/tenants/info")
            .await
            .expect(200);
    }
}
