//! What PostgreSQL itself keeps apart, whatever SQL it is sent: the tests do on purpose what an
//! injection would.

use tokio_postgres::{Client, error::SqlState};

use crate::support::TestApp;
use testkit::database::connect;

/// A connection of the data plane in the middle of a transaction of a tenant.
async fn inside(app: &TestApp, slug: &str) -> Client {
    let role = "SELECT role_name FROM platform.tenants WHERE slug = $1";
    let role: String = app
        .admin()
        .await
        .query_one(role, &[&slug])
        .await
        .unwrap()
        .get(0);
    let login = app.database.lane_of(&role).await.unwrap();
    let client = connect(&login).await.unwrap();
    let prelude = format!("BEGIN; SET LOCAL ROLE {role}; SET LOCAL search_path TO tenant_{slug}");
    client.batch_execute(&prelude).await.unwrap();
    client
}

/// Why a statement of the extended protocol is refused; `None` when it is not.
async fn refusal(client: &Client, sql: &str) -> Option<SqlState> {
    client.batch_execute("SAVEPOINT here").await.unwrap();
    let outcome = client.query(sql, &[]).await;
    client.batch_execute("ROLLBACK TO here").await.unwrap();
    outcome.err().map(|cause| cause.code().unwrap().clone())
}

async fn two_tenants() -> TestApp {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    app.tenant("globex").await;
    app
}

#[tokio::test]
async fn a_tenants_role_reaches_its_own_tables() {
    let app = two_tenants().await;
    let acme = inside(&app, "acme").await;
    let rows = acme.query("SELECT username FROM users", &[]).await.unwrap();
    assert_eq!(rows.len(), 1);
    let publish = "SELECT platform.publish_revocation('user x')";
    assert_eq!(refusal(&acme, publish).await, None);
}

#[tokio::test]
async fn a_tenants_role_reaches_nothing_else() {
    let app = two_tenants().await;
    let acme = inside(&app, "acme").await;
    for sql in [
        "SELECT * FROM tenant_globex.users",
        "INSERT INTO tenant_globex.usage VALUES ('x', 1)",
        "SELECT * FROM platform.tenants",
        "SELECT * FROM platform.operator_tokens",
        "SELECT platform.make_tenant_roles(1)",
        "SELECT platform.drop_tenant_role('x')",
        "SELECT platform.drop_purged_roles(1)",
        "SELECT * FROM pg_catalog.pg_authid",
        "SELECT * FROM pg_catalog.pg_statistic",
        "SELECT set_config('role', 'tenantry_data', false)",
        "SELECT set_config('search_path', 'tenant_globex', false)",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
        "COPY users TO PROGRAM 'true'",
        "COPY users TO '/tmp/users'",
        "SELECT lo_import('/etc/passwd')",
    ] {
        let refused = refusal(&acme, sql).await;
        assert_eq!(refused, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{sql}");
    }
}

#[tokio::test]
async fn a_tenants_role_makes_and_changes_no_structure() {
    let app = two_tenants().await;
    let acme = inside(&app, "acme").await;
    for sql in [
        "CREATE TABLE more (id int)",
        "CREATE TEMP TABLE more (id int)",
        "CREATE SCHEMA more",
        "CREATE TABLE public.more (id int)",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DO $$ BEGIN PERFORM 1; END $$",
        "DROP TABLE users",
        "ALTER TABLE users ADD COLUMN more int",
        "SELECT * FROM refinery_schema_history",
        "CREATE ROLE more",
        "TRUNCATE users",
        "SELECT pg_notify('tenantry_revoked', 'x')",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_xact_lock(1)",
        "SELECT lo_create(0)",
        "SELECT lo_creat(-1)",
        "SELECT lo_from_bytea(0, 'x')",
    ] {
        let refused = refusal(&acme, sql).await;
        assert_eq!(refused, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{sql}");
    }
}

/// Functions that run a text as SQL are the injection's way to a second statement. They do run
/// queries, under the same role; they change no setting.
#[tokio::test]
async fn no_expression_leaves_the_role() {
    let app = two_tenants().await;
    let acme = inside(&app, "acme").await;
    for sql in [
        "SELECT 1; RESET ROLE",
        "SELECT query_to_xml('RESET ROLE', true, false, '')",
        "SELECT query_to_xml('SET ROLE tenantry_data', true, false, '')",
        "SELECT query_to_xml('SELECT * FROM tenant_globex.users', true, false, '')",
        "SELECT * FROM ts_stat('RESET ROLE')",
        "SELECT * FROM ts_stat('SELECT username::tsvector FROM tenant_globex.users')",
        "UPDATE pg_settings SET setting = 'none' WHERE name = 'role'",
    ] {
        assert!(refusal(&acme, sql).await.is_some(), "{sql}");
        let role: String = acme
            .query_one("SELECT current_user::text", &[])
            .await
            .unwrap()
            .get(0);
        assert!(role.starts_with("tenant_"), "{sql} left {role}");
    }
}

#[tokio::test]
async fn the_data_planes_login_has_no_tenants_rights_of_its_own() {
    let app = two_tenants().await;
    let data = connect(&app.database.data()).await.unwrap();
    data.batch_execute("BEGIN").await.unwrap();
    for sql in [
        "SELECT * FROM tenant_acme.users",
        "SELECT * FROM platform.idempotency_keys",
        "SELECT * FROM platform.operator_tokens",
        "SELECT * FROM platform.events",
        "UPDATE platform.tenants SET status = 'active'",
        "UPDATE platform.tenants SET plan = 'enterprise'",
        "DELETE FROM platform.tenants",
        "INSERT INTO platform.domains SELECT 'a.example', id, now() FROM platform.tenants",
        "SELECT platform.make_tenant_roles(1)",
        "CREATE SCHEMA more",
        "CREATE TEMP TABLE more (id int)",
    ] {
        let refused = refusal(&data, sql).await;
        assert_eq!(refused, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{sql}");
    }
    assert_eq!(
        refusal(
            &data,
            "UPDATE platform.tenants SET name = name, settings = '{}'"
        )
        .await,
        None
    );
}

#[tokio::test]
async fn a_lanes_login_becomes_its_own_lanes_tenants_alone() {
    let app = two_tenants().await;
    let lanes = "SELECT t.role_name, r.lane FROM platform.tenants t \
        JOIN platform.tenant_roles r ON r.name = t.role_name ORDER BY t.slug";
    let rows = app.admin().await.query(lanes, &[]).await.unwrap();
    let of = |at: usize| -> (String, i16) { (rows[at].get(0), rows[at].get(1)) };
    let ((acme, lane), (globex, other)) = (of(0), of(1));
    assert_ne!(lane, other, "roles are made for the lanes in turn");
    let data = app.database.data();
    let login = connect(&data.of_lane(lane.try_into().unwrap()))
        .await
        .unwrap();
    login
        .batch_execute(&format!("BEGIN; SET LOCAL ROLE {acme}"))
        .await
        .unwrap();
    login.batch_execute("ROLLBACK; BEGIN").await.unwrap();
    let plain = connect(&data).await.unwrap();
    plain.batch_execute("BEGIN").await.unwrap();
    for (client, role) in [(&login, &globex), (&plain, &acme), (&plain, &globex)] {
        let become_tenant = format!("SET LOCAL ROLE {role}");
        let refused = refusal(client, &become_tenant).await;
        assert_eq!(refused, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{role}");
    }
    let refused = refusal(&login, "SELECT * FROM platform.tenants").await;
    assert_eq!(refused, Some(SqlState::INSUFFICIENT_PRIVILEGE));
}

#[tokio::test]
async fn a_lanes_login_says_what_memory_it_has_taken() {
    let app = TestApp::start().await;
    let login = connect(&app.database.data().of_lane(0)).await.unwrap();
    let memory = "SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts";
    let bytes: i64 = login.query_one(memory, &[]).await.unwrap().get(0);
    assert!(bytes > 100_000, "{bytes}");
}

#[tokio::test]
async fn the_control_planes_login_holds_no_more_than_it_needs() {
    let app = two_tenants().await;
    let control = connect(&app.database.control()).await.unwrap();
    control.batch_execute("BEGIN").await.unwrap();
    let role: String = control
        .query_one("SELECT role_name FROM platform.tenants LIMIT 1", &[])
        .await
        .unwrap()
        .get(0);
    for sql in [
        &format!("SET ROLE {role}"),
        "CREATE ROLE more",
        "INSERT INTO platform.tenant_roles VALUES ('postgres')",
        "UPDATE platform.tenant_roles SET name = 'postgres'",
        "DELETE FROM platform.tenant_roles",
        "DELETE FROM platform.refinery_schema_history",
        "CREATE TABLE platform.more (id int)",
        "SELECT * FROM pg_authid",
    ] {
        let refused = refusal(&control, sql).await;
        assert_eq!(refused, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{sql}");
    }
    assert!(
        refusal(&control, "SELECT platform.drop_tenant_role('postgres')")
            .await
            .is_some()
    );
}
