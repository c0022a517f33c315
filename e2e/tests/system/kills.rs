//! `kill -9` while two hundred sign up at once: there is never half a tenant.

use std::{sync::Arc, time::Duration};

use e2e::System;
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::{rounds, seed};
use tokio::task::JoinSet;

const AT_ONCE: usize = 200;
const PASSWORD: &str = "correct horse battery";

fn application(slug: &str) -> Value {
    json!({
        "tenant_name": slug, "tenant_slug": slug, "admin_username": "ada",
        "admin_email": "ada@example.com", "admin_password": PASSWORD, "plan": "enterprise",
    })
}

/// One sign-up under a key of its own; `None` when no answer came.
async fn sign_up(system: &System, slug: &str) -> Option<StatusCode> {
    let request = system.post("/tenants/register", &application(slug));
    let answer = request
        .header("Idempotency-Key", format!("key-of-{slug}"))
        .send()
        .await
        .ok()?;
    let status = answer.status();
    // An answer counts once all of it is there.
    answer.bytes().await.ok().map(|_| status)
}

async fn works(system: &System, slug: &str) -> bool {
    let body = json!({"username": "ada", "password": PASSWORD});
    let login = system
        .post("/oauth/login", &body)
        .header("X-Tenant-Slug", slug);
    login.send().await.unwrap().status() == 200
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sign_up_that_was_answered_works_and_every_other_can_be_repeated() {
    let entropy = seed::printed();
    let mut system = System::start_with(&[("SIGNUP_RATE_PER_MINUTE", "1000000")]).await;
    for round in 0..rounds(3, 10) {
        let slugs: Vec<String> = (0..AT_ONCE)
            .map(|n| format!("tenant-{round}-{n}"))
            .collect();
        let shared = Arc::new(system);
        let mut signing = JoinSet::new();
        for slug in slugs.clone() {
            let system = Arc::clone(&shared);
            signing.spawn(async move { (sign_up(&system, &slug).await, slug) });
        }
        let wait = u64::from(u16::from_be_bytes(entropy.bytes())) / 20;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        shared.kill();
        let outcomes = signing.join_all().await;
        system = Arc::into_inner(shared).expect("all sign-ups are over");
        system.gone().await;

        system.launch().await;
        let answered = outcomes
            .iter()
            .filter(|(status, _)| status.is_some())
            .count();
        println!("round {round}: killed after {wait} ms, {answered} answered");
        for (status, slug) in &outcomes {
            match status {
                Some(StatusCode::CREATED) => (),
                Some(other) => panic!("{slug}: {other}"),
                None => assert_eq!(
                    sign_up(&system, slug).await,
                    Some(StatusCode::CREATED),
                    "{slug}"
                ),
            }
        }
        for (_, slug) in &outcomes {
            assert!(works(&system, slug).await, "{slug}");
        }
        no_orphans(&system).await;
    }
}

/// Every schema and every role belongs to a tenant, or waits for one.
async fn no_orphans(system: &System) {
    let database = system.database().await;
    for (what, sql) in [
        (
            "schemas without a tenant",
            "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tenant\\_%' AND nspname NOT IN \
             (SELECT schema_name FROM platform.tenants WHERE status <> 'purged')",
        ),
        (
            "tenants without a schema",
            "SELECT schema_name FROM platform.tenants WHERE status <> 'purged' AND schema_name \
             NOT IN (SELECT nspname FROM pg_namespace)",
        ),
        (
            "roles that nobody knows",
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'tenant\\_%' AND rolname NOT IN \
             (SELECT name FROM platform.tenant_roles)",
        ),
        (
            "tenants without a role of their own",
            "SELECT role_name FROM platform.tenants t WHERE status <> 'purged' AND NOT EXISTS \
             (SELECT FROM platform.tenant_roles r JOIN pg_roles p ON p.rolname = r.name \
              WHERE r.name = t.role_name AND r.tenant_id = t.id)",
        ),
    ] {
        let rows = database.query(sql, &[]).await.unwrap();
        let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(names.is_empty(), "{what}: {names:?}");
    }
}
