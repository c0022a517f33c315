use control_plane::reaper::look;
use serde_json::json;
use service::telemetry::Metrics;
use tenancy::migrations::{all, latest};
use testkit::{figure, first_version};

use crate::support::TestApp;

async fn set_back(app: &TestApp, slug: &str) {
    first_version::set_back(&app.admin().await, slug).await;
}

#[tokio::test]
async fn with_nothing_to_do_nothing_is_done() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let status = app.operate("GET", "/migrations").await.json();
    let at_latest = json!([{ "version": latest(), "tenants": 1 }]);
    assert_eq!(
        status,
        json!({ "latest": latest(), "versions": at_latest, "behind": [] })
    );
    let run = app.operate("POST", "/migrations/run").await.json();
    assert_eq!(run, json!({ "migrated": 0, "failed": 0, "failures": [] }));
}

#[tokio::test]
async fn tenants_that_are_behind_catch_up() {
    let app = TestApp::start().await;
    for slug in ["acme", "globex", "initech"] {
        app.tenant(slug).await;
    }
    set_back(&app, "acme").await;
    set_back(&app, "globex").await;
    let status = app.operate("GET", "/migrations").await.json();
    assert_eq!(status["behind"], json!(["acme", "globex"]));
    let run = app.operate("POST", "/migrations/run").await.json();
    assert_eq!(run["migrated"], 2);
    assert_eq!(app.count("SELECT count(*) FROM tenant_acme.notes").await, 0);
    let status = app.operate("GET", "/migrations").await.json();
    assert_eq!(status["behind"], json!([]));
}

#[tokio::test]
async fn those_behind_are_counted() {
    let metrics = Metrics::start();
    let app = TestApp::start().await;
    for slug in ["acme", "globex", "initech"] {
        app.tenant(slug).await;
    }
    set_back(&app, "acme").await;
    set_back(&app, "globex").await;
    look(&app.plane).await;
    assert_eq!(figure(&metrics, "tenants_behind"), Some(2.0));
    app.operate("POST", "/migrations/run").await;
    look(&app.plane).await;
    assert_eq!(figure(&metrics, "tenants_behind"), Some(0.0));

    // A later version has reached one of them, and failed at the others.
    let later =
        "UPDATE platform.tenants SET schema_version = schema_version + 1 WHERE slug = 'acme'";
    app.admin().await.batch_execute(later).await.unwrap();
    look(&app.plane).await;
    assert_eq!(figure(&metrics, "tenants_behind"), Some(2.0));
}

#[tokio::test]
async fn one_that_fails_harms_no_other() {
    let app = TestApp::start().await;
    for slug in ["acme", "globex"] {
        app.tenant(slug).await;
        set_back(&app, slug).await;
    }
    let in_the_way = "CREATE TABLE tenant_acme.authorizations ()";
    app.admin().await.batch_execute(in_the_way).await.unwrap();
    let run = app.operate("POST", "/migrations/run").await.json();
    assert_eq!((&run["migrated"], &run["failed"]), (&json!(1), &json!(1)));
    assert_eq!(run["failures"][0]["tenant"], "acme");
    app.admin()
        .await
        .batch_execute("DROP TABLE tenant_acme.authorizations")
        .await
        .unwrap();
    assert_eq!(
        app.operate("POST", "/migrations/run").await.json()["migrated"],
        1
    );
}

#[tokio::test]
async fn two_runs_at_once_migrate_each_tenant_once() {
    let app = TestApp::start().await;
    for slug in ["acme", "globex", "initech"] {
        app.tenant(slug).await;
        set_back(&app, slug).await;
    }
    let run = || app.operate("POST", "/migrations/run");
    let (one, two) = futures_util::future::join(run(), run()).await;
    let mut migrated = 0;
    for answer in [one, two] {
        assert_eq!(answer.json()["failed"], 0, "{}", answer.text);
        migrated += answer.json()["migrated"].as_i64().unwrap();
    }
    assert_eq!(migrated, 3);
    let history = "SELECT count(*) FROM tenant_acme.refinery_schema_history";
    assert_eq!(app.count(history).await, all().len() as i64);
}

#[tokio::test]
async fn a_tenant_of_the_first_version_becomes_what_a_fresh_one_is() {
    const CATALOGUE: &str = "SELECT string_agg(line, E'\\n' ORDER BY line) FROM ( \
        SELECT format('%s.%s %s %s', table_name, column_name, data_type, column_default) AS line \
        FROM information_schema.columns WHERE table_schema = $1 \
        UNION ALL SELECT replace(indexdef, $1, '') FROM pg_indexes WHERE schemaname = $1 \
        UNION ALL SELECT format('%s %s', conname, replace(pg_get_constraintdef(oid), $1, '')) \
        FROM pg_constraint WHERE connamespace = $1::text::regnamespace) lines";
    let app = TestApp::start().await;
    app.tenant("acme").await;
    app.tenant("globex").await;
    set_back(&app, "acme").await;
    let issued = "SET search_path TO tenant_acme;
        INSERT INTO users VALUES (gen_random_uuid(), 'ada', 'a@b.example', 'x', 'user', true, now(), now());
        INSERT INTO clients VALUES ('c', NULL, 'c', '{}', '{}', '{}', 'none', NULL, now());
        INSERT INTO tokens SELECT 'a', 'access', gen_random_uuid(), 'c', id, '{read}', now(), now() FROM users;
        INSERT INTO tokens SELECT 'r', 'refresh', family, 'c', user_id, '{read,write}', now(), \
            now() + interval '1 day' FROM tokens;
        INSERT INTO tokens VALUES ('m', 'access', gen_random_uuid(), 'c', NULL, '{}', now(), now(), NULL, now())";
    app.admin().await.batch_execute(issued).await.unwrap();
    let run = app.operate("POST", "/migrations/run").await.json();
    assert_eq!(run["migrated"], 1, "{run}");

    let admin = app.admin().await;
    let catalogue = async |schema: &str| -> String {
        admin.query_one(CATALOGUE, &[&schema]).await.unwrap().get(0)
    };
    assert_eq!(
        catalogue("tenant_acme").await,
        catalogue("tenant_globex").await
    );
    let kept = "SELECT count(*) FROM tenant_acme.tokens k JOIN tenant_acme.authorizations a \
        ON a.id = k.authorization_id AND a.expires_at >= k.expires_at \
        AND (a.revoked_at IS NULL) = (k.digest <> 'm')";
    assert_eq!(app.count(kept).await, 3);
}

#[tokio::test]
async fn histories_that_differ_from_the_files_are_named() {
    let app = TestApp::start().await;
    for slug in ["acme", "globex", "hooli", "initech", "umbrella"] {
        app.tenant(slug).await;
    }
    // One that is behind has the history of its version.
    set_back(&app, "globex").await;
    assert_eq!(app.plane.different_histories().await.unwrap(), []);

    let admin = app.admin().await;
    let change = "UPDATE tenant_acme.refinery_schema_history SET checksum = '1' WHERE version = 2; \
        UPDATE tenant_acme.refinery_schema_history SET name = 'other' WHERE version = 1; \
        DELETE FROM tenant_hooli.refinery_schema_history WHERE version = 3; \
        INSERT INTO tenant_hooli.refinery_schema_history VALUES (0, 'theirs', '', '0'); \
        DROP TABLE tenant_umbrella.refinery_schema_history";
    admin.batch_execute(change).await.unwrap();
    let found = app.plane.different_histories().await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|one| (one.tenant.as_str(), one.difference.as_str()))
        .collect();
    let expected = [
        ("acme", "V1 is called other, V2 is of another checksum"),
        ("hooli", "V0 is none of the files, V3 is missing"),
        ("umbrella", "there is no history"),
    ];
    assert_eq!(found, expected);
}
