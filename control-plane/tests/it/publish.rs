//! Who may publish a revocation, and of which tenant.

use testkit::database::connect;
use tokio_postgres::{Client, error::SqlState};

use crate::support::TestApp;

const PUBLISH: &str = "SELECT platform.publish_revocation($1)";
const PUBLISH_OF: &str = "SELECT platform.publish_revocation_of($1, $2)";

pub(crate) async fn refusal(client: &Client, sql: &str) -> Option<SqlState> {
    let outcome = client.simple_query(sql).await;
    outcome.err().map(|cause| cause.code().unwrap().clone())
}

/// A connection of the data plane under the role of a tenant.
pub(crate) async fn under(app: &TestApp, slug: &str) -> Client {
    let role = "SELECT role_name FROM platform.tenants WHERE slug = $1";
    let role = app.admin().await.query_one(role, &[&slug]).await.unwrap();
    let role: String = role.get(0);
    let login = app.database.lane_of(&role).await.unwrap();
    let client = connect(&login).await.unwrap();
    client
        .batch_execute(&format!("SET ROLE {role}"))
        .await
        .unwrap();
    client
}

#[tokio::test]
async fn a_tenants_role_publishes_of_its_own_tenant_alone() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let acme = under(&app, "acme").await;
    acme.query(PUBLISH, &[&"user x"]).await.unwrap();
    let of = "SELECT platform.publish_revocation_of(gen_random_uuid(), 'user x')";
    assert_eq!(
        refusal(&acme, of).await,
        Some(SqlState::INSUFFICIENT_PRIVILEGE)
    );
    let long = "SELECT platform.publish_revocation(repeat('x', 1001))";
    assert_eq!(
        refusal(&acme, long).await,
        Some(SqlState::STRING_DATA_RIGHT_TRUNCATION)
    );
}

#[tokio::test]
async fn nobody_else_publishes_by_a_tenants_function() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let spare = "SELECT name FROM platform.tenant_roles WHERE tenant_id IS NULL LIMIT 1";
    let spare: Option<String> = app
        .admin()
        .await
        .query_opt(spare, &[])
        .await
        .unwrap()
        .map(|row| row.get(0));
    for login in [
        app.database.data(),
        app.database.control(),
        app.database.admin(),
    ] {
        let client = connect(&login).await.unwrap();
        let publish = "SELECT platform.publish_revocation('user x')";
        assert_eq!(
            refusal(&client, publish).await,
            Some(SqlState::INSUFFICIENT_PRIVILEGE)
        );
    }
    if let Some(spare) = spare {
        let login = app.database.lane_of(&spare).await.unwrap();
        let data = connect(&login).await.unwrap();
        data.batch_execute(&format!("SET ROLE {spare}"))
            .await
            .unwrap();
        let publish = "SELECT platform.publish_revocation('user x')";
        assert_eq!(
            refusal(&data, publish).await,
            Some(SqlState::INSUFFICIENT_PRIVILEGE)
        );
    }
}

#[tokio::test]
async fn the_control_plane_publishes_of_any_tenant() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let control = connect(&app.database.control()).await.unwrap();
    let id = "SELECT id FROM platform.tenants";
    let id: uuid::Uuid = control.query_one(id, &[]).await.unwrap().get(0);
    control.query(PUBLISH_OF, &[&id, &"user x"]).await.unwrap();
    let data = connect(&app.database.data()).await.unwrap();
    let of = "SELECT platform.publish_revocation_of(gen_random_uuid(), 'user x')";
    assert_eq!(
        refusal(&data, of).await,
        Some(SqlState::INSUFFICIENT_PRIVILEGE)
    );
}

/// Everybody may look up names in the registry's schema; a tenant's role may use one function.
#[tokio::test]
async fn a_tenants_role_may_use_one_thing_in_the_registry() {
    const USABLE: &str = "SELECT p.oid::regprocedure::text FROM pg_proc p \
            WHERE p.pronamespace = 'platform'::regnamespace \
            AND has_function_privilege(p.oid, 'EXECUTE') \
        UNION ALL SELECT c.oid::regclass::text FROM pg_class c \
            WHERE c.relnamespace = 'platform'::regnamespace AND CASE \
            WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'USAGE, SELECT, UPDATE') \
            WHEN c.relkind IN ('r', 'v', 'm', 'p', 'f') THEN \
                has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER') \
                OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES') \
            ELSE false END";
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let acme = under(&app, "acme").await;
    let usable = acme.query(USABLE, &[]).await.unwrap();
    let usable: Vec<String> = usable.iter().map(|row| row.get(0)).collect();
    assert_eq!(usable, ["platform.publish_revocation(text)"]);
}
