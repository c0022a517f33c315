//! Logins for people who look into one schema: what they see, and that they go.

use control_plane::reaper::look;
use serde_json::{Value, json};
use tenancy::db::Login;
use time::{Duration, OffsetDateTime};
use tokio_postgres::{Client, error::SqlState};

use crate::support::TestApp;
use testkit::database::connect;

const INSPECTIONS: &str = "/tenants/acme/inspections";
/// Logins of this database, which are named by its oid.
const LOGINS: &str = "SELECT count(*) FROM pg_roles r, pg_database d \
    WHERE d.datname = current_database() AND starts_with(r.rolname, format('inspect_%s_', d.oid))";

async fn two_tenants() -> TestApp {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    app.tenant("globex").await;
    app
}

pub(crate) async fn open(app: &TestApp, body: &Value) -> Value {
    let answer = app.operate_with("POST", INSPECTIONS, body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()
}

fn login(app: &TestApp, opened: &Value) -> Login {
    let word = |name: &str| opened[name].as_str().unwrap();
    app.database
        .admin()
        .with(word("login"), word("password"))
        .at(word("database"))
}

pub(crate) async fn enter(app: &TestApp, opened: &Value) -> Client {
    connect(&login(app, opened)).await.unwrap()
}

async fn refusal(client: &Client, sql: &str) -> Option<SqlState> {
    let outcome = client.batch_execute(sql).await;
    outcome.err().map(|cause| cause.code().unwrap().clone())
}

#[tokio::test]
async fn a_login_reads_its_schema_without_naming_it() {
    let app = two_tenants().await;
    let opened = open(&app, &json!({})).await;
    assert_eq!(opened["tenant"], "acme");
    assert_eq!(opened["schema"], "tenant_acme");
    assert_eq!(opened["mode"], "read-only");
    let acme = enter(&app, &opened).await;
    let rows = acme.query("SELECT username FROM users", &[]).await.unwrap();
    assert_eq!(rows.len(), 1);
    let tables = "SELECT count(*) FROM pg_class WHERE relkind = 'r' \
        AND relnamespace = 'tenant_acme'::regnamespace \
        AND NOT has_table_privilege(oid, 'SELECT')";
    let unreadable: i64 = acme.query_one(tables, &[]).await.unwrap().get(0);
    assert_eq!(unreadable, 0);
    // pgAdmin's first words.
    let bytea = "SELECT set_config('bytea_output', 'hex', false)";
    acme.query(bytea, &[]).await.unwrap();
}

#[tokio::test]
async fn a_login_reaches_nothing_else() {
    let app = two_tenants().await;
    let read_only = enter(&app, &open(&app, &json!({})).await).await;
    let read_write = enter(&app, &open(&app, &json!({ "mode": "read-write" })).await).await;
    let role = "SELECT role_name FROM platform.tenants WHERE slug = 'acme'";
    let role: String = app.admin().await.query_one(role, &[]).await.unwrap().get(0);
    let become_tenant = format!("SET ROLE {role}");
    for client in [read_only, read_write] {
        client
            .batch_execute("SET default_transaction_read_only = off")
            .await
            .unwrap();
        for sql in [
            "SELECT * FROM tenant_globex.users",
            "INSERT INTO tenant_globex.usage VALUES ('x', 1)",
            "SELECT * FROM platform.tenants",
            "SELECT * FROM platform.inspections",
            "SELECT platform.grant_inspection('x', 'tenant_globex', true)",
            "SELECT platform.close_inspection('x')",
            "SELECT platform.make_tenant_roles(1)",
            "SELECT platform.publish_revocation('user x')",
            "SELECT pg_notify('tenantry_tenants', '*')",
            "SELECT * FROM pg_catalog.pg_authid",
            "SELECT pg_read_file('/etc/passwd')",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
            "COPY users TO PROGRAM 'true'",
            "SET ROLE tenantry_data",
            "SET ROLE tenantry_control",
            &become_tenant,
            "CREATE TABLE more (id int)",
            "CREATE TEMP TABLE more (id int)",
            "CREATE SCHEMA more",
            "CREATE TABLE public.more (id int)",
            "CREATE ROLE more",
            "DROP TABLE users",
            "TRUNCATE users",
            "SELECT lo_create(0)",
            "SELECT pg_advisory_lock(1)",
            "SELECT pg_advisory_xact_lock_shared(1, 1)",
            "SELECT pg_try_advisory_lock(1)",
            "SET temp_file_limit = -1",
            "INSERT INTO refinery_schema_history VALUES (99, 'x', 'x', 'x')",
            "SET log_statement = 'none'",
            "ALTER ROLE CURRENT_USER SET log_statement = 'none'",
            "ALTER ROLE CURRENT_USER VALID UNTIL 'infinity'",
            "ALTER ROLE CURRENT_USER CONNECTION LIMIT 100",
        ] {
            let refused = refusal(&client, sql).await;
            assert_eq!(refused, Some(SqlState::INSUFFICIENT_PRIVILEGE), "{sql}");
        }
    }
}

#[tokio::test]
async fn only_a_login_for_writing_writes() {
    let app = two_tenants().await;
    let write = "UPDATE users SET email = 'other@example.com'";
    let reader = enter(&app, &open(&app, &json!({})).await).await;
    assert_eq!(
        refusal(&reader, write).await,
        Some(SqlState::READ_ONLY_SQL_TRANSACTION)
    );
    let insist = "SET default_transaction_read_only = off";
    reader.batch_execute(insist).await.unwrap();
    assert_eq!(
        refusal(&reader, write).await,
        Some(SqlState::INSUFFICIENT_PRIVILEGE)
    );
    let writer = enter(&app, &open(&app, &json!({ "mode": "read-write" })).await).await;
    writer.batch_execute(write).await.unwrap();
    let logged = "SELECT current_setting('log_statement'), current_setting('log_error_verbosity')";
    let logged = writer.query_one(logged, &[]).await.unwrap();
    // With their values, which are details.
    assert_eq!((logged.get(0), logged.get(1)), ("all", "default"));
}

#[tokio::test]
async fn a_login_goes_when_its_time_is_over() {
    let app = two_tenants().await;
    let opened = open(&app, &json!({ "minutes": 15 })).await;
    let name = opened["login"].as_str().unwrap();
    let session = enter(&app, &opened).await;
    let until = "SELECT rolvaliduntil FROM pg_roles WHERE rolname = $1";
    let until = app.admin().await.query_one(until, &[&name]).await.unwrap();
    let left = until.get::<_, OffsetDateTime>(0) - app.clock.now();
    assert!((Duration::minutes(14)..=Duration::minutes(15)).contains(&left));

    app.clock.advance(Duration::minutes(14));
    look(&app.plane).await;
    session.simple_query("SELECT 1").await.unwrap();
    app.clock.advance(Duration::minutes(2));
    look(&app.plane).await;
    look(&app.plane).await;
    assert_eq!(app.count(LOGINS).await, 0);
    while session.simple_query("SELECT 1").await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(connect(&login(&app, &opened)).await.is_err());

    let events = app.operate("GET", "/tenants/acme/events").await.json();
    let words = |event: &Value| {
        let word = |name: &str| event[name].as_str().unwrap().to_owned();
        (
            word("action"),
            word("actor"),
            event["detail"]["login"] == name,
        )
    };
    let told: Vec<_> = events["events"].as_array().unwrap()[..2]
        .iter()
        .map(words)
        .collect();
    let expected = |action: &str, actor: &str| (action.to_owned(), actor.to_owned(), true);
    assert_eq!(
        told,
        [
            expected("inspection.closed", "reaper"),
            expected("inspection.opened", "operator:tests"),
        ]
    );
}

/// What a login settles for itself would hold a plain DROP ROLE up.
#[tokio::test]
async fn a_login_cannot_make_itself_stay() {
    let app = two_tenants().await;
    let opened = open(&app, &json!({ "mode": "read-write" })).await;
    let session = enter(&app, &opened).await;
    for sql in [
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
        "ALTER ROLE CURRENT_USER PASSWORD 'mine'",
        "ALTER ROLE CURRENT_USER SET statement_timeout = 0",
        "BEGIN",
        "LOCK TABLE users IN ROW EXCLUSIVE MODE",
    ] {
        session.batch_execute(sql).await.unwrap();
    }
    app.clock.advance(Duration::hours(2));
    look(&app.plane).await;
    assert_eq!(app.count(LOGINS).await, 0);
    while session.simple_query("SELECT 1").await.is_ok() {
        tokio::task::yield_now().await;
    }
    let user = opened["login"].as_str().unwrap();
    let changed = app.database.admin().with(user, "mine");
    assert!(connect(&changed).await.is_err());
}

/// Whoever bars a login may die before it is closed; whoever comes next finishes.
#[tokio::test]
async fn a_closing_that_was_cut_off_is_finished() {
    let app = two_tenants().await;
    let opened = open(&app, &json!({})).await;
    let bar = "SELECT platform.bar_inspection($1)";
    let name = opened["login"].as_str().unwrap();
    app.admin().await.query(bar, &[&name]).await.unwrap();
    assert!(connect(&login(&app, &opened)).await.is_err());
    app.clock.advance(Duration::hours(2));
    look(&app.plane).await;
    assert_eq!(app.count(LOGINS).await, 0);
}

#[tokio::test]
async fn an_operator_closes_a_login_early() {
    let app = two_tenants().await;
    let (one, two) = (open(&app, &json!({})).await, open(&app, &json!({})).await);
    let list = app.operate("GET", INSPECTIONS).await.json();
    let list = list["inspections"].as_array().unwrap();
    assert_eq!(list.len(), 2);
    assert_eq!(list[0]["opened_by"], "operator:tests");
    assert!(list[0].get("password").is_none());

    let name = one["login"].as_str().unwrap();
    for (path, status) in [
        (format!("/tenants/globex/inspections/{name}"), 404),
        (format!("{INSPECTIONS}/{name}"), 204),
        (format!("{INSPECTIONS}/{name}"), 404),
        (format!("{INSPECTIONS}/postgres"), 404),
        (format!("{INSPECTIONS}/%00"), 400),
    ] {
        let answer = app.operate("DELETE", &path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
    }
    assert!(connect(&login(&app, &one)).await.is_err());
    enter(&app, &two).await;
}

#[tokio::test]
async fn a_login_follows_a_rename_and_goes_with_a_purge() {
    let app = two_tenants().await;
    let opened = open(&app, &json!({})).await;
    let new = json!({ "slug": "acme-two" });
    assert_eq!(
        app.operate_with("PATCH", "/tenants/acme", &new)
            .await
            .status,
        200
    );
    let session = enter(&app, &opened).await;
    session.query("SELECT FROM users", &[]).await.unwrap();

    app.operate("DELETE", "/tenants/acme-two").await;
    app.operate("POST", "/tenants/acme-two/purge").await;
    look(&app.plane).await;
    assert_eq!(app.count(LOGINS).await, 0);
    assert_eq!(
        app.count("SELECT count(*) FROM platform.inspections").await,
        0
    );
}

#[tokio::test]
async fn of_many_closings_at_once_each_does_its_part() {
    let app = two_tenants().await;
    for _ in 0..3 {
        let opened = open(&app, &json!({})).await;
        let path = format!(
            "/tenants/acme/inspections/{}",
            opened["login"].as_str().unwrap()
        );
        let closings = (0..4).map(|_| app.operate("DELETE", &path));
        for answer in futures_util::future::join_all(closings).await {
            assert!(
                [204, 404].contains(&answer.status.as_u16()),
                "{}",
                answer.text
            );
        }
        assert_eq!(app.count(LOGINS).await, 0);
    }
}

/// Somebody who reads and does not end holds what a purge needs.
#[tokio::test]
async fn a_reader_holds_no_purge_up() {
    let app = two_tenants().await;
    let opened = open(&app, &json!({})).await;
    let session = enter(&app, &opened).await;
    let stay = "SET idle_in_transaction_session_timeout = 0; BEGIN; SELECT count(*) FROM notes";
    session.batch_execute(stay).await.unwrap();
    app.operate("DELETE", "/tenants/acme").await;
    let purged = app.operate("POST", "/tenants/acme/purge").await;
    assert_eq!(purged.status, 204, "{}", purged.text);
    assert_eq!(app.count(LOGINS).await, 0);
}

/// What the reaper does after five minutes, done at once: it ends who sits in a transaction, and
/// nobody who does not.
#[tokio::test]
async fn a_long_transaction_is_ended_and_a_session_at_rest_is_not() {
    let app = two_tenants().await;
    let opened = open(&app, &json!({})).await;
    let (long, rest) = (enter(&app, &opened).await, enter(&app, &opened).await);
    let begin = "SET idle_in_transaction_session_timeout = 0; BEGIN; SELECT count(*) FROM notes";
    long.batch_execute(begin).await.unwrap();
    let end = "SELECT platform.end_inspection_sessions(NULL, interval '0')";
    let ended: i64 = app.admin().await.query_one(end, &[]).await.unwrap().get(0);
    assert_eq!(ended, 1);
    while long.simple_query("SELECT 1").await.is_ok() {
        tokio::task::yield_now().await;
    }
    rest.simple_query("SELECT 1").await.unwrap();
}

#[tokio::test]
async fn a_login_of_the_control_planes_gives_a_lock_up_in_time() {
    let app = two_tenants().await;
    let control = app.database.control().patient_for(7);
    let client = connect(&control).await.unwrap();
    let limit = client.query_one("SHOW lock_timeout", &[]).await.unwrap();
    assert_eq!(limit.get::<_, String>(0), "7s");
}

/// A login may settle rights in favour of roles whose names it sees, and stays open itself.
#[tokio::test]
async fn a_login_makes_no_other_role_stay() {
    let app = two_tenants().await;
    let session = enter(&app, &open(&app, &json!({ "mode": "read-write" })).await).await;
    let role = "SELECT role_name FROM platform.tenants WHERE slug = 'globex'";
    let role: String = app.admin().await.query_one(role, &[]).await.unwrap().get(0);
    let globexs = "/tenants/globex/inspections";
    let other = app.operate_with("POST", globexs, &json!({})).await.json();
    let other = other["login"].as_str().unwrap().to_owned();
    for favoured in [&role, &other] {
        let sql = format!("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {favoured}");
        session.batch_execute(&sql).await.unwrap();
    }
    app.operate("DELETE", "/tenants/globex").await;
    let purged = app.operate("POST", "/tenants/globex/purge").await;
    assert_eq!(purged.status, 204, "{}", purged.text);
    assert_eq!(app.count(LOGINS).await, 1);
}

#[tokio::test]
async fn nonsense_is_refused_and_opens_nothing() {
    let app = two_tenants().await;
    for (body, faulty) in [
        (json!({ "mode": "all" }), "mode"),
        (json!({ "mode": 1 }), "mode"),
        (json!({ "mode": "" }), "mode"),
        (json!({ "minutes": 0 }), "minutes"),
        (json!({ "minutes": -5 }), "minutes"),
        (json!({ "minutes": 1441 }), "minutes"),
        (json!({ "minutes": i64::MAX }), "minutes"),
    ] {
        let answer = app.operate_with("POST", INSPECTIONS, &body).await;
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(answer.faulty(), [faulty], "{body}");
    }
    for (body, status) in [
        (json!({ "minutes": "x" }), 422),
        (json!({ "minutes": 1.5 }), 422),
        (json!(null), 422),
    ] {
        let answer = app.operate_with("POST", INSPECTIONS, &body).await;
        assert_eq!(answer.status, status, "{body}");
    }
    let nobodys = "/tenants/nobody/inspections";
    let answer = app.operate_with("POST", nobodys, &json!({})).await;
    assert_eq!(answer.problem(), "tenant-not-found");
    assert_eq!(app.count(LOGINS).await, 0);
}
