//! pgAdmin on one tenant's schema: a person in Chromium sees that tenant, and nobody else.

use std::path::PathBuf;

use e2e::{
    System,
    pgadmin::{PgAdmin, Session},
    process::until,
};
use serde_json::{Value, json};

const GROUP: &str = "Tenants";
const SERVER: &str = "acme (read-only)";
const DATABASE: [&str; 4] = [GROUP, SERVER, "Databases", "tenantry"];

fn picture(name: &str) -> PathBuf {
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/pictures");
    PathBuf::from(target).join(format!("pgadmin-{name}.png"))
}

fn under<'a>(path: &[&'a str]) -> Vec<&'a str> {
    [&DATABASE, path].concat()
}

async fn sign_up(system: &System, slug: &str) {
    let application = json!({
        "tenant_name": slug, "tenant_slug": slug, "admin_username": "ada",
        "admin_email": format!("ada@{slug}.example"), "admin_password": "correct horse battery",
    });
    let answer = system.post("/tenants/register", &application).send().await;
    assert_eq!(answer.unwrap().status(), 201);
}

/// What the tenant's schema holds is in the tree, and its rows can be read.
async fn one_tenant_is_seen(session: &Session) {
    assert_eq!(session.children(&DATABASE[..3]).await, ["tenantry"]);
    let schemas = session.children(&under(&["Schemas"])).await;
    assert_eq!(schemas, ["tenant_acme"]);
    let tables = under(&["Schemas", "tenant_acme", "Tables"]);
    let names = session.children(&tables).await;
    for name in ["notes", "users"] {
        assert!(names.iter().any(|shown| shown == name), "{names:?}");
    }
    session.picture(&picture("tables")).await;
    let users = [&tables[..], &["users"]].concat();
    let rows = session.rows(&users, "ada@acme.example").await;
    session.picture(&picture("rows")).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    session.leave_tool().await;
}

async fn everything_else_is_refused(session: &Session) {
    session.query_tool(&DATABASE).await;
    for (sql, refusal) in [
        (
            "SELECT * FROM tenant_globex.users",
            "permission denied for schema tenant_globex",
        ),
        (
            "SELECT * FROM platform.tenants",
            "permission denied for table tenants",
        ),
        (
            "UPDATE users SET role = 'user'",
            "cannot execute UPDATE in a read-only transaction",
        ),
        (
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; COMMIT; DELETE FROM users",
            "permission denied for table users",
        ),
    ] {
        let shown = session.error_of(sql).await;
        assert!(shown.contains(refusal), "{sql}: {shown}");
        let name = refusal.replace(' ', "-").to_lowercase();
        session.picture(&picture(&name)).await;
    }
    session.leave_tool().await;
}

/// The login's time is over now, not in an hour; what follows is the reaper's doing.
async fn its_time_is_over(system: &System) {
    let over = "UPDATE platform.inspections SET expires_at = now()";
    system.database().await.batch_execute(over).await.unwrap();
    until("the login to be gone", async || {
        let listed = system.run("tenantry inspect acme --list --json").await;
        serde_json::from_str::<Value>(&listed).unwrap() == json!({ "inspections": [] })
    })
    .await;
}

#[tokio::test]
async fn pgadmin_shows_the_inspected_tenant_and_no_other() {
    if let Some(reason) = PgAdmin::unfit() {
        println!("[skipped] {reason}");
        return;
    }
    let system = System::start_with(&[("REAPER_SECONDS", "1")]).await;
    for slug in ["acme", "globex"] {
        sign_up(&system, slug).await;
    }
    let opened = system.run("tenantry inspect acme --json").await;
    let inspection: Value = serde_json::from_str(&opened).unwrap();
    let password = inspection["password"].as_str().unwrap();
    let pgadmin = PgAdmin::start(system.directory()).await;
    pgadmin.add(&opened).await;

    let session = pgadmin.sign_in().await;
    session.connect(GROUP, SERVER, password).await;
    one_tenant_is_seen(&session).await;
    everything_else_is_refused(&session).await;

    its_time_is_over(&system).await;
    session.query_tool(&DATABASE).await;
    let shown = session.refusal().await;
    assert!(shown.contains("password authentication failed"), "{shown}");
    session.picture(&picture("over")).await;
    drop(session);
    let later = pgadmin.sign_in().await;
    let shown = later.refused(GROUP, password).await;
    assert!(shown.contains("password authentication failed"), "{shown}");
    later.picture(&picture("ended")).await;
}
