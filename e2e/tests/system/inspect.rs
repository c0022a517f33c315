//! The commands of docs/pgadmin.md, run as they stand, and what they let psql see.

use e2e::System;
use serde_json::json;

const GUIDE: &str = include_str!("../../../docs/pgadmin.md");

/// The commands under a heading of the guide.
fn commands(heading: &str) -> String {
    let (_, section) = GUIDE.split_once(heading).expect("the heading");
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap())
        .collect()
}

/// psql, as the product says that one starts it.
fn psql(said: &str) -> &str {
    let line = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("psql "));
    line.expect("a line for psql").trim()
}

#[tokio::test]
async fn the_guide_to_looking_at_one_tenant_is_right() {
    let system = System::start().await;
    for slug in ["acme", "globex"] {
        let application = json!({
            "tenant_name": slug, "tenant_slug": slug, "admin_username": "ada",
            "admin_email": format!("ada@{slug}.example"), "admin_password": "correct horse battery",
        });
        let answer = system.post("/tenants/register", &application).send().await;
        assert_eq!(answer.unwrap().status(), 201);
    }

    let opened = system.run(&commands("# One tenant, in psql")).await;
    let psql = psql(&opened);
    for (sql, shown) in [
        ("SELECT email FROM users", "ada@acme.example"),
        (
            "TABLE tenant_globex.users",
            "permission denied for schema tenant_globex",
        ),
        (
            "TABLE platform.tenants",
            "permission denied for table tenants",
        ),
        (
            "DELETE FROM users",
            "cannot execute DELETE in a read-only transaction",
        ),
        // The guide says so: names are not secret.
        ("SELECT nspname FROM pg_namespace", "tenant_globex"),
    ] {
        let said = system
            .run(&format!("{psql} -Atc '{sql}' 2>&1 || true"))
            .await;
        assert!(said.contains(shown), "{sql}: {said}");
    }

    let ended = system.run(&commands("## How long")).await;
    assert!(ended.contains("3 logins are closed."), "{ended}");
    assert!(ended.contains("inspection.closed"), "{ended}");
    let late = system
        .run(&format!("{psql} -c 'SELECT 1' 2>&1 || true"))
        .await;
    assert!(late.contains("authentication failed"), "{late}");
}
