use std::num::NonZeroU32;

use serde_json::json;
use service::settings::Addresses;
use testkit::rounds;

use crate::support::{TestApp, application, application_with};

#[tokio::test]
async fn a_sign_up_answers_as_the_contract_says() {
    let app = TestApp::start().await;
    let answer = app.register(&application("acme")).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let body = answer.json();
    let (tenant, admin) = (&body["tenant"], &body["admin"]);
    assert_eq!(tenant["name"], "The acme company");
    assert_eq!(tenant["slug"], "acme");
    assert_eq!(tenant["plan"], "free");
    assert_eq!(tenant["status"], "active");
    assert!(tenant["domain"].is_null());
    assert_eq!(admin["username"], "ada");
    assert_eq!(admin["email"], "ada@example.com");
    assert_eq!(admin["role"], "owner");
    for id in [&tenant["id"], &admin["id"]] {
        assert_eq!(id.as_str().unwrap().len(), 36);
    }
    let access = &body["access_info"];
    let base = Addresses::default();
    assert_eq!(access["subdomain"], base.api_of("acme.localhost"));
    assert_eq!(access["header"], "X-Tenant-Slug: acme");
    assert_eq!(access["path"], "http://localhost:8080/tenants/acme");
    assert!(body["message"].is_string());
    assert!(!answer.text.contains("correct horse"));
}

#[tokio::test]
async fn a_sign_up_leaves_a_whole_tenant() {
    let app = TestApp::start().await;
    let body = app.tenant("acme").await;
    let admin = app.admin().await;
    let row = admin
        .query_one(
            "SELECT id::text, username, email, role, password_hash FROM tenant_acme.users",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(body["admin"]["id"], row.get::<_, String>(0));
    assert_eq!(row.get::<_, &str>("role"), "owner");
    assert!(
        row.get::<_, &str>("password_hash")
            .starts_with("$argon2id$")
    );
    let behind = "SELECT count(*) FROM platform.tenants t JOIN platform.tenant_roles r \
        ON r.name = t.role_name AND r.tenant_id = t.id WHERE t.schema_version = \
        (SELECT max(version) FROM tenant_acme.refinery_schema_history)";
    assert_eq!(app.count(behind).await, 1);
    let events = app.operate("GET", "/tenants/acme/events").await.json();
    assert_eq!(events["events"][0]["action"], "tenant.created");
    assert_eq!(events["events"][0]["actor"], "sign-up");
}

#[tokio::test]
async fn all_faults_are_told_at_once() {
    let app = TestApp::start().await;
    let answer = app
        .register(&json!({
            "tenant_name": "", "tenant_slug": "-", "admin_username": "a b",
            "admin_email": "nobody", "admin_password": "short", "domain": "a_b", "plan": "gold",
        }))
        .await;
    assert_eq!(answer.problem(), "validation-failed");
    let fields = [
        "admin_email",
        "admin_password",
        "admin_username",
        "domain",
        "plan",
        "tenant_name",
        "tenant_slug",
    ];
    assert_eq!(answer.faulty(), fields);
    assert_eq!(app.count("SELECT count(*) FROM platform.tenants").await, 0);
}

#[tokio::test]
async fn each_field_has_its_limits() {
    let app = TestApp::start().await;
    for (field, value) in [
        ("tenant_name", "x".repeat(101)),
        ("tenant_name", "a\u{7}b".to_owned()),
        ("tenant_slug", "www".to_owned()),
        ("tenant_slug", "register".to_owned()),
        ("tenant_slug", "a".repeat(41)),
        ("tenant_slug", "a--b".to_owned()),
        ("admin_username", "ab".to_owned()),
        ("admin_email", format!("{}@example.com", "x".repeat(250))),
        ("admin_password", "1234567".to_owned()),
        ("admin_password", "x".repeat(257)),
        ("domain", "acme.localhost".to_owned()),
        ("domain", "localhost".to_owned()),
        ("plan", "platinum".to_owned()),
    ] {
        let answer = app.register(&application_with("acme", field, value)).await;
        assert_eq!(answer.problem(), "validation-failed", "{field}");
        assert_eq!(answer.faulty(), [field]);
    }
}

#[tokio::test]
async fn a_password_is_not_the_username() {
    let app = TestApp::start().await;
    let mut application = application_with("acme", "admin_username", "ada-lovely");
    application["admin_password"] = json!("Ada-Lovely");
    assert_eq!(
        app.register(&application).await.faulty(),
        ["admin_password"]
    );
}

#[tokio::test]
async fn a_slug_has_one_tenant() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let again = app.register(&application("acme")).await;
    assert_eq!(
        (again.problem(), again.faulty()),
        ("conflict".to_owned(), vec!["tenant_slug".to_owned()])
    );
    assert_eq!(app.count("SELECT count(*) FROM platform.tenants").await, 1);
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'tenant\\_%'";
    assert_eq!(app.count(schemas).await, 1);
}

#[tokio::test]
async fn sign_ups_at_once_do_not_hinder_each_other() {
    let app = TestApp::start().await;
    let slugs: Vec<String> = (0..12).map(|n| format!("acme-{n}")).collect();
    let answers = futures_util::future::join_all(
        slugs
            .iter()
            .map(|slug| async { app.register(&application(slug)).await.status }),
    )
    .await;
    assert!(answers.iter().all(|status| *status == 201), "{answers:?}");
    let roles = "SELECT count(DISTINCT role_name) FROM platform.tenants";
    assert_eq!(app.count(roles).await, 12);
}

#[tokio::test]
async fn one_of_many_gets_the_slug() {
    let app = TestApp::with(|settings| settings.signup_rate_per_minute = NonZeroU32::MAX).await;
    for round in 0..rounds(1, 100) {
        let wanted = application(&format!("acme-{round}"));
        let answers = futures_util::future::join_all((0..6).map(|_| app.register(&wanted))).await;
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        let taken = answers.iter().filter(|answer| answer.status == 409).count();
        assert_eq!((made, taken), (1, 5));
    }
}

#[tokio::test]
async fn the_rate_of_one_address_is_limited() {
    let app =
        TestApp::with(|settings| settings.signup_rate_per_minute = 2.try_into().unwrap()).await;
    for slug in ["acme", "globex"] {
        app.tenant(slug).await;
    }
    let answer = app.register(&application("initech")).await;
    assert_eq!(answer.problem(), "rate-limited");
    assert!(answer.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_closed_platform_takes_no_sign_ups_but_the_operators() {
    let app = TestApp::with(|settings| settings.signup = control_plane::SignUps::Closed).await;
    let answer = app.register(&application("acme")).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.problem(), "registration-closed");
    let made = app
        .operate_with("POST", "/tenants", &application("acme"))
        .await;
    assert_eq!(made.status, 201);
    let events = app.operate("GET", "/tenants/acme/events").await.json();
    assert_eq!(events["events"][0]["actor"], "operator:tests");
}

#[tokio::test]
async fn a_slug_is_told_before_anybody_signs_up_with_it() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    for (slug, available) in [
        ("acme", false),
        ("globex", true),
        ("www", false),
        ("A", false),
    ] {
        let word = app
            .get(&format!("/tenants/register?slug={slug}"))
            .await
            .json();
        assert_eq!(word["slug"], slug);
        assert_eq!(word["available"], available, "{slug}");
        assert_eq!(word["reason"].is_null(), available);
    }
}

#[tokio::test]
async fn a_slug_whose_schema_is_there_already_is_taken() {
    let app = TestApp::start().await;
    let schema = "CREATE SCHEMA tenant_acme";
    app.admin().await.batch_execute(schema).await.unwrap();
    let word = app.get("/tenants/register?slug=acme").await;
    assert_eq!(word.json()["available"], false);

    let refused = app.register(&application("acme")).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert_eq!(refused.faulty(), ["tenant_slug"]);
    let left = "SELECT count(*) FROM platform.tenants";
    assert_eq!(app.count(left).await, 0);
    app.tenant("globex").await;
}

#[tokio::test]
async fn a_database_that_does_not_write_now_says_when_to_come_back() {
    let app = TestApp::start().await;
    let name = app.database.name();
    let read_only = format!(
        "ALTER DATABASE {name} SET default_transaction_read_only = on; \
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()"
    );
    app.admin().await.batch_execute(&read_only).await.unwrap();
    let refused = app.register(&application("acme")).await;
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert_eq!(refused.problem(), "unavailable");
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(app.operate("GET", "/tenants").await.status, 200);
}

#[tokio::test]
async fn availability_says_of_a_slug_what_a_sign_up_says() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    for slug in [
        "ACME",
        "Globex",
        "acme",
        "www",
        "a",
        "1st",
        "two--hyphens",
        "xn--a",
        "initech",
    ] {
        let availability = app.get(&format!("/tenants/register?slug={slug}")).await;
        let availability = availability.json();
        let sign_up = app
            .register(&application_with(slug, "tenant_slug", json!(slug)))
            .await;
        let fault = &sign_up.json()["errors"]["tenant_slug"][0];
        assert_eq!(availability["available"], sign_up.status == 201, "{slug}");
        assert_eq!(availability["reason"], *fault, "{slug}");
    }
}

#[tokio::test]
async fn a_sign_in_code_comes_once_and_to_those_who_ask_for_it() {
    let app = TestApp::start().await;
    assert!(app.tenant("acme").await["sign_in_code"].is_null());
    let asked = application_with("globex", "sign_in_code", json!(true));
    let made = app.register_with(&asked, Some("a-key")).await;
    let code = made.json()["sign_in_code"].as_str().unwrap().to_owned();
    assert!(code.starts_with("tnt_sc_"));
    let again = app.register_with(&asked, Some("a-key")).await;
    assert_eq!(again.status, 201);
    assert!(again.json()["sign_in_code"].is_null());
    let admin = app.admin().await;
    let stored = "SELECT encode(digest, 'escape') FROM tenant_globex.sessions";
    let stored: String = admin.query_one(stored, &[]).await.unwrap().get(0);
    assert!(!stored.contains(&code));
}
