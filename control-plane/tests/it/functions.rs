//! What everybody may execute, and that the channel of notices is nobody's to read.

use control_plane::{
    bootstrap,
    bootstrap::{Options, gaps},
    reaper::look,
};
use serde_json::json;
use tenancy::db::Login;
use testkit::{database::connect, wait::until};
use tokio_postgres::{Client, error::SqlState};

use crate::{
    inspections::{enter, open},
    publish::{refusal, under},
    support::TestApp,
};

/// Every volatile function of PostgreSQL, and all of the registry's, that the session may execute.
const EXECUTABLE: &str = "SELECT format('%s.%s(%s)', n.nspname, p.proname, \
        oidvectortypes(p.proargtypes)) \
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
    WHERE has_function_privilege(p.oid, 'EXECUTE') AND (n.nspname = 'platform' \
        OR p.provolatile = 'v' AND n.nspname = 'pg_catalog' \
        AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype))";
const ALLOWED: &str = "SELECT signature FROM platform.allowed_functions";

async fn column(client: &Client, sql: &str) -> Vec<String> {
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn one_tenant() -> TestApp {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    app
}

/// What may be executed and is not on the list.
async fn beyond_the_list(app: &TestApp, client: &Client) -> Vec<String> {
    let allowed = column(&app.admin().await, ALLOWED).await;
    let mut executable = column(client, EXECUTABLE).await;
    assert!(executable.contains(&"pg_catalog.clock_timestamp()".to_owned()));
    executable.retain(|signature| !allowed.contains(signature));
    executable
}

#[tokio::test]
async fn tenants_and_inspections_execute_what_is_on_the_list_alone() {
    let app = one_tenant().await;
    let acme = under(&app, "acme").await;
    assert_eq!(beyond_the_list(&app, &acme).await, [""; 0]);
    for body in [json!({}), json!({ "mode": "read-write" })] {
        let inspection = enter(&app, &open(&app, &body).await).await;
        let own = ["pg_catalog.set_config(text, text, boolean)"];
        assert_eq!(beyond_the_list(&app, &inspection).await, own);
    }
}

#[tokio::test]
async fn nobody_notifies_by_a_function_or_reads_the_channels_name() {
    let app = one_tenant().await;
    let acme = under(&app, "acme").await;
    let inspection = enter(&app, &open(&app, &json!({})).await).await;
    for client in [acme, inspection] {
        for sql in [
            "SELECT pg_notify('tenantry_revoked', '*')",
            "SELECT name FROM platform.channel",
            "SELECT platform.notify_change('*', 'x')",
            "SELECT platform.notify_revocation(gen_random_uuid(), '*')",
            "SELECT platform.close_functions()",
            "SELECT platform.reopen_functions()",
            "SELECT query_to_xml('SELECT 1', true, false, '')",
            "SELECT pg_sleep(0)",
            "SELECT * FROM pg_locks",
        ] {
            let refused = refusal(&client, sql).await;
            assert_eq!(refused, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{sql}");
        }
    }
}

/// The statement of whoever listens names the channel.
#[tokio::test]
async fn nobody_sees_who_listens_where() {
    let app = one_tenant().await;
    let listener = connect(&app.database.data()).await.unwrap();
    listener.batch_execute("LISTEN c_random").await.unwrap();
    let acme = under(&app, "acme").await;
    let inspection = enter(&app, &open(&app, &json!({})).await).await;
    for client in [acme, inspection] {
        let seen = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%c_random%' \
            AND pid <> pg_backend_pid()";
        let seen: i64 = client.query_one(seen, &[]).await.unwrap().get(0);
        assert_eq!(seen, 0);
        let channels = "SELECT pg_listening_channels()";
        assert_eq!(column(&client, channels).await, [""; 0]);
    }
}

#[tokio::test]
async fn a_start_closes_what_was_opened_since() {
    let app = one_tenant().await;
    let admin = app.admin().await;
    admin
        .batch_execute(
            "GRANT EXECUTE ON FUNCTION pg_catalog.pg_notify(text, text) TO PUBLIC;
             GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO PUBLIC;
             CREATE FUNCTION platform.later() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        )
        .await
        .unwrap();
    let named: Vec<String> = gaps(&admin)
        .await
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    for name in [
        "pg_notify(text, text)",
        "set_config(text, text, boolean)",
        "platform.later()",
    ] {
        assert!(
            named.iter().any(|gap| gap.contains(name)),
            "{name}: {named:?}"
        );
    }
    bootstrap_again(&app).await;
    assert!(gaps(&admin).await.unwrap().is_empty());
    let acme = under(&app, "acme").await;
    assert_eq!(beyond_the_list(&app, &acme).await, [""; 0]);
}

/// Makes the database ready once more, as each start does.
async fn bootstrap_again(app: &TestApp) {
    let (admin, logins) = (app.database.admin(), app.database.logins());
    bootstrap(&admin, logins, &Options::default())
        .await
        .unwrap();
}

async fn reopen(admin: &Client) {
    let reopen = "SELECT platform.reopen_functions()";
    admin.batch_execute(reopen).await.unwrap();
}

/// Rights on functions that a later version has no more would end pg_upgrade.
#[tokio::test]
async fn all_can_be_opened_again_before_an_upgrade_of_postgresql() {
    const CHANGED: &str = "SELECT p.oid::regprocedure::text \
        FROM pg_proc p, acldefault('f', p.proowner) usual \
        WHERE p.pronamespace = 'pg_catalog'::regnamespace \
        AND NOT (p.proacl @> usual AND p.proacl <@ usual) \
        AND NOT EXISTS (SELECT FROM pg_init_privs i \
            WHERE i.objoid = p.oid AND i.classoid = 'pg_proc'::regclass)";
    let app = one_tenant().await;
    let admin = app.admin().await;
    assert!(!column(&admin, CHANGED).await.is_empty());
    reopen(&admin).await;
    assert_eq!(column(&admin, CHANGED).await, [""; 0]);
}

/// A service of the version before listens under the name that it always had.
async fn former(app: &TestApp) -> Client {
    let login: Login = app.database.data().named("tenantry feed");
    connect(&login).await.unwrap()
}

#[tokio::test]
async fn services_of_the_version_before_are_served_until_the_last_has_gone() {
    let app = one_tenant().await;
    let admin = app.admin().await;
    reopen(&admin).await;
    let service = former(&app).await;
    bootstrap_again(&app).await;
    let acme = under(&app, "acme").await;
    let publish = "SELECT pg_notify('tenantry_revoked', 'x')";
    assert_eq!(refusal(&acme, publish).await, None);
    assert_eq!(
        beyond_the_list(&app, &acme).await,
        ["pg_catalog.pg_notify(text, text)"]
    );
    look(&app.plane).await;
    assert_eq!(
        app.count("SELECT count(*) FROM platform.channel WHERE former")
            .await,
        1
    );

    drop(service);
    until("the former channels to close", async || {
        look(&app.plane).await;
        app.count("SELECT count(*) FROM platform.channel WHERE former")
            .await
            == 0
    })
    .await;
    assert_eq!(
        refusal(&acme, publish).await,
        Some(SqlState::INSUFFICIENT_PRIVILEGE)
    );
}
