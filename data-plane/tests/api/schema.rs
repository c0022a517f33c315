//! What SQL can do under a tenant's role, as an injection would run it: nothing outside.

use testkit::{TestApp, database::connect};
use tokio_postgres::error::SqlState;

#[tokio::test]
async fn a_tenants_schema_holds_its_tables_and_history() {
    let app = TestApp::start().await;
    app.tenant("acme").anonymous().await;
    let admin = connect(&app.database.admin()).await.unwrap();
    let tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'tenant_acme' ORDER BY 1";
    let rows = admin.query(tables, &[]).await.unwrap();
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    for table in [
        "users",
        "sessions",
        "clients",
        "tokens",
        "notes",
        "refinery_schema_history",
    ] {
        assert!(
            names.iter().any(|name| name == table),
            "{table} is not in {names:?}"
        );
    }
}

#[tokio::test]
async fn the_role_of_a_tenant_reaches_nothing_outside() {
    let app = TestApp::start().await;
    app.tenant("acme").anonymous().await;
    app.tenant("globex").anonymous().await;
    let admin = connect(&app.database.admin()).await.unwrap();
    let role = async |slug: &str| -> String {
        let find = "SELECT role_name FROM platform.tenants WHERE slug = $1";
        admin.query_one(find, &[&slug]).await.unwrap().get(0)
    };
    let (own, other) = (role("acme").await, role("globex").await);
    let login = app.database.lane_of(&own).await.unwrap();
    let client = connect(&login).await.unwrap();

    for sql in [
        "SELECT * FROM tenant_globex.users",
        "INSERT INTO tenant_globex.notes (title, body) VALUES ('', '')",
        "SELECT * FROM platform.tenants",
        "SELECT * FROM platform.operator_tokens",
        "SELECT * FROM pg_authid",
        "SELECT * FROM refinery_schema_history",
        "SELECT set_config('role', 'postgres', false)",
        &format!("SELECT set_config('role', '{other}', true)"),
        "SELECT set_config('search_path', 'tenant_globex', true)",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "COPY users TO PROGRAM 'cat'",
        "CREATE TABLE mine ()",
        "CREATE TEMPORARY TABLE users (id int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DO $$ BEGIN END $$",
        "ALTER TABLE users ADD COLUMN x int",
        "DROP TABLE users",
        "SELECT platform.make_tenant_roles(1)",
        &format!("GRANT {other} TO {own}"),
    ] {
        let begin = format!("BEGIN; SET LOCAL ROLE {own}; SET LOCAL search_path TO tenant_acme");
        client.batch_execute(&begin).await.unwrap();
        let refused = client.batch_execute(sql).await;
        let code = refused.err().and_then(|fault| fault.code().cloned());
        assert_eq!(code, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{sql}");
        client.batch_execute("ROLLBACK").await.unwrap();
    }
}

#[tokio::test]
async fn the_data_planes_login_reads_no_tenant_without_its_role() {
    let app = TestApp::start().await;
    app.tenant("acme").anonymous().await;
    let client = connect(&app.database.data()).await.unwrap();
    for sql in [
        "SELECT * FROM tenant_acme.users",
        "SELECT * FROM platform.operator_tokens",
        "SELECT * FROM platform.idempotency_keys",
        "UPDATE platform.tenants SET plan = 'enterprise'",
        "UPDATE platform.tenants SET role_name = 'postgres'",
        "SELECT platform.make_tenant_roles(1)",
        "CREATE TABLE public.mine ()",
        "CREATE SCHEMA mine",
    ] {
        let code = client
            .batch_execute(sql)
            .await
            .err()
            .and_then(|fault| fault.code().cloned());
        assert_eq!(code, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{sql}");
    }
}

#[tokio::test]
async fn nothing_secret_is_stored_as_it_is() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let (token, owner) = (acme.owner_token("read").await.token(), acme.owner().await);
    let (_, secret) = acme.client().await;
    let session = owner.cookie().split_once('=').unwrap().1.to_owned();
    let admin = connect(&app.database.admin()).await.unwrap();
    for table in ["users", "sessions", "clients", "tokens"] {
        let rows = admin
            .query(&format!("SELECT t::text FROM tenant_acme.{table} t"), &[])
            .await
            .unwrap();
        assert!(!rows.is_empty(), "{table}");
        for row in rows {
            let text: String = row.get(0);
            for kept in [&token, &secret, &session, testkit::app::PASSWORD] {
                assert!(!text.contains(kept), "{table}");
            }
        }
    }
}
