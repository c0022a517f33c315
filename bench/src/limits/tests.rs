use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use tower::ServiceExt;

use super::*;
use crate::{
    database::{ADMIN, Database},
    scratch::Scratch,
};

/// Two tenants with a note each that carries the tenant's name, as the product would have them.
async fn two_tenants() -> (Scratch, Database, Router) {
    let scratch = Scratch::new().unwrap();
    let database = Database::start(&scratch).await.unwrap();
    let mut sql = String::from(
        "CREATE ROLE tenantry_data LOGIN NOINHERIT;
         CREATE SCHEMA platform;
         CREATE TABLE platform.tenants (slug text, schema_name text, role_name text, status text);
         GRANT USAGE ON SCHEMA platform TO tenantry_data;
         GRANT SELECT ON platform.tenants TO tenantry_data;",
    );
    for slug in ["acme", "globex"] {
        sql += &format!(
            "CREATE ROLE role_{slug} NOLOGIN;
             GRANT role_{slug} TO tenantry_data;
             CREATE SCHEMA tenant_{slug};
             CREATE TABLE tenant_{slug}.notes (
                 id bigint PRIMARY KEY, author_id uuid, client_id text, title text, body text,
                 version bigint,
                 created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now());
             INSERT INTO tenant_{slug}.notes VALUES (1, NULL, NULL, 'note of {slug}', '', 1);
             GRANT USAGE ON SCHEMA tenant_{slug} TO role_{slug};
             GRANT SELECT ON tenant_{slug}.notes TO role_{slug};
             INSERT INTO platform.tenants
             VALUES ('{slug}', 'tenant_{slug}', 'role_{slug}', 'active');"
        );
    }
    database
        .connect(ADMIN)
        .await
        .unwrap()
        .batch_execute(&sql)
        .await
        .unwrap();
    let database_url = database.url("tenantry_data");
    let limits = Limits::new(&Settings {
        port: 0,
        database_url,
        connections: 1,
    })
    .await
    .unwrap();
    (scratch, database, router(Arc::new(limits)))
}

async fn get(app: &Router, path: &str, slug: &str) -> (StatusCode, String) {
    let request = Request::get(path)
        .header("X-Tenant-Slug", slug)
        .body(Body::empty())
        .unwrap();
    let answer = app.clone().oneshot(request).await.unwrap();
    let status = answer.status();
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn each_variant_answers_each_tenant_with_its_own_notes() {
    let (_scratch, database, app) = two_tenants().await;
    for path in ["/shared", "/own", "/shared-lanes", "/own-lanes"] {
        for slug in ["acme", "globex", "acme"] {
            let (status, body) = get(&app, path, slug).await;
            assert_eq!(status, StatusCode::OK, "{path}: {body}");
            assert!(
                body.contains(&format!("note of {slug}")),
                "{path}, {slug}: {body}"
            );
        }
    }
    let (status, _) = get(&app, "/shared", "unknown").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    drop((app, database));
}

#[tokio::test]
async fn a_role_that_may_not_read_gets_nothing_and_spoils_nothing() {
    let (_scratch, database, app) = two_tenants().await;
    let revoke = "REVOKE SELECT ON tenant_acme.notes FROM role_acme";
    database
        .connect(ADMIN)
        .await
        .unwrap()
        .batch_execute(revoke)
        .await
        .unwrap();
    assert_eq!(
        get(&app, "/shared", "acme").await.0,
        StatusCode::INTERNAL_SERVER_ERROR
    );
    // The same connection: there is only one.
    assert_eq!(get(&app, "/shared", "globex").await.0, StatusCode::OK);
    drop((app, database));
}
