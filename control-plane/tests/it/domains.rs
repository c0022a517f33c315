//! Domains: anybody may claim one, one tenant proves it.

use control_plane::reaper::look;
use futures_util::future::join_all;
use serde_json::{Value, json};
use time::Duration;

use testkit::{rounds, seed};

use crate::support::{Answer, TestApp, application_with, at_random};

const HOST: &str = "app.acme.example";

async fn claim(app: &TestApp, slug: &str, host: &str) -> Answer {
    let path = format!("/tenants/{slug}/domains");
    app.operate_with("POST", &path, &json!({ "domain": host }))
        .await
}

async fn verify(app: &TestApp, slug: &str, host: &str) -> Answer {
    let path = format!("/tenants/{slug}/domains/{host}/verify");
    app.operate("POST", &path).await
}

async fn domains(app: &TestApp, slug: &str) -> Value {
    let path = format!("/tenants/{slug}/domains");
    app.operate("GET", &path).await.json()["domains"].clone()
}

/// Who holds a domain, and whether it is verified.
async fn holders(app: &TestApp) -> Vec<(String, bool)> {
    let found = app.operate("GET", &format!("/domains/{HOST}")).await.json();
    assert_eq!(found["hostname"], HOST);
    let read = |holder: &Value| {
        let verified = holder["verified_at"].is_string();
        assert!(holder["claimed_at"].is_string() && holder["tenant_id"].is_string());
        assert_eq!(holder["expires_at"].is_null(), verified);
        (holder["slug"].as_str().unwrap().to_owned(), verified)
    };
    found["holders"]
        .as_array()
        .unwrap()
        .iter()
        .map(read)
        .collect()
}

async fn two_tenants() -> TestApp {
    let app = TestApp::start().await;
    for slug in ["acme", "globex"] {
        app.tenant(slug).await;
    }
    app
}

#[tokio::test]
async fn a_domain_is_claimed_verified_and_given_up() {
    let app = two_tenants().await;
    assert_eq!(claim(&app, "acme", "App.ACME.example").await.status, 201);
    let claimed = domains(&app, "acme").await;
    assert_eq!(claimed[0]["hostname"], HOST);
    assert!(claimed[0]["verified_at"].is_null() && claimed[0]["expires_at"].is_string());
    let others = verify(&app, "globex", HOST).await;
    assert_eq!(others.problem(), "not-found");
    assert_eq!(verify(&app, "acme", HOST).await.json()["domain"], HOST);
    assert!(domains(&app, "acme").await[0]["expires_at"].is_null());
    let path = format!("/tenants/acme/domains/{HOST}");
    let removed = app.operate("DELETE", &path).await.json();
    assert_eq!(removed["domain"], json!(null));
    assert_eq!(app.operate("DELETE", &path).await.problem(), "not-found");
}

#[tokio::test]
async fn a_claim_keeps_nobody_else_out() {
    let app = TestApp::start().await;
    for slug in ["acme", "globex"] {
        let signed_up = app.register(&application_with(slug, "domain", HOST)).await;
        assert_eq!(signed_up.json()["tenant"]["domain"], HOST);
    }
    app.tenant("initech").await;
    assert_eq!(claim(&app, "initech", HOST).await.status, 201);
    let found = holders(&app).await;
    let slugs: Vec<_> = found.iter().map(|(slug, _)| slug.as_str()).collect();
    assert_eq!(slugs, ["acme", "globex", "initech"]);
    assert_eq!(verify(&app, "globex", HOST).await.status, 200);
    let found = holders(&app).await;
    assert_eq!(found[0], ("globex".to_owned(), true));
    assert_eq!(found.len(), 3);
}

#[tokio::test]
async fn a_domain_that_is_proven_is_nobody_elses() {
    let app = two_tenants().await;
    for slug in ["acme", "globex"] {
        claim(&app, slug, HOST).await;
    }
    assert_eq!(verify(&app, "acme", HOST).await.status, 200);
    let application = application_with("initech", "domain", HOST);
    for refused in [
        app.register(&application).await,
        claim(&app, "globex", HOST).await,
        verify(&app, "globex", HOST).await,
    ] {
        assert_eq!(refused.problem(), "conflict");
        assert_eq!(refused.faulty(), ["domain"]);
    }
    let initech = "SELECT count(*) FROM platform.tenants WHERE slug = 'initech'";
    assert_eq!(app.count(initech).await, 0);
    let path = format!("/tenants/acme/domains/{HOST}");
    app.operate("DELETE", &path).await;
    assert_eq!(verify(&app, "globex", HOST).await.status, 200);
}

#[tokio::test]
async fn of_two_that_are_verified_at_once_one_gets_the_domain() {
    let app = two_tenants().await;
    let entropy = seed::printed();
    for round in 0..rounds(6, 300) {
        let host = format!("app-{round}.acme.example");
        claim(&app, "acme", &host).await;
        claim(&app, "globex", &host).await;
        let (acme, globex) = at_random(
            &entropy,
            verify(&app, "acme", &host),
            verify(&app, "globex", &host),
        )
        .await;
        let mut statuses = [acme.status.as_u16(), globex.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        // Claims are few.
        for slug in ["acme", "globex"] {
            let path = format!("/tenants/{slug}/domains/{host}");
            app.operate("DELETE", &path).await;
        }
    }
}

#[tokio::test]
async fn claims_are_few() {
    let app = two_tenants().await;
    let hosts: Vec<String> = (0..14).map(|n| format!("app-{n}.acme.example")).collect();
    let answers = join_all(hosts.iter().map(|host| claim(&app, "acme", host))).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 10);
    let refused = answers.iter().find(|answer| answer.status != 201).unwrap();
    assert_eq!(refused.problem(), "quota-exceeded");
    assert_eq!(refused.json()["limit"], 10);
    let claimed = domains(&app, "acme").await;
    let host = claimed[0]["hostname"].as_str().unwrap().to_owned();
    assert_eq!(claim(&app, "acme", &host).await.status, 201);
    assert_eq!(verify(&app, "acme", &host).await.status, 200);
    assert_eq!(claim(&app, "acme", HOST).await.status, 201);
    assert_eq!(claim(&app, "globex", HOST).await.status, 201);
}

#[tokio::test]
async fn a_claim_that_is_not_verified_ends() {
    let app = two_tenants().await;
    claim(&app, "acme", HOST).await;
    claim(&app, "globex", "verified.example").await;
    verify(&app, "globex", "verified.example").await;
    app.clock.advance(Duration::days(6));
    assert_eq!(domains(&app, "acme").await.as_array().unwrap().len(), 1);
    claim(&app, "globex", HOST).await;
    app.clock.advance(Duration::days(1));
    assert_eq!(domains(&app, "acme").await, json!([]));
    assert_eq!(verify(&app, "acme", HOST).await.problem(), "not-found");
    assert_eq!(holders(&app).await, [("globex".to_owned(), false)]);
    look(&app.plane).await;
    assert_eq!(app.count("SELECT count(*) FROM platform.domains").await, 2);
    let events = app.operate("GET", "/tenants/acme/events").await.json();
    assert_eq!(events["events"][0]["action"], "domain.expired");
    assert_eq!(events["events"][0]["detail"], json!({ "domain": HOST }));
    assert_eq!(claim(&app, "acme", HOST).await.status, 201);
}

#[tokio::test]
async fn the_platforms_own_hosts_are_no_domains() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    for host in ["localhost", "globex.localhost", "127.0.0.1", "intranet", ""] {
        assert_eq!(
            claim(&app, "acme", host).await.faulty(),
            ["domain"],
            "{host}"
        );
    }
}

/// What a control plane and a data plane of the version before say.
#[tokio::test]
async fn the_version_before_goes_on_with_domains() {
    let app = two_tenants().await;
    let admin = app.admin().await;
    for slug in ["acme", "globex"] {
        let claimed = format!(
            "INSERT INTO platform.domains (hostname, tenant_id, created_at) \
             SELECT '{HOST}', id, now() FROM platform.tenants WHERE slug = '{slug}'"
        );
        admin.batch_execute(&claimed).await.unwrap();
    }
    let verified = format!(
        "UPDATE platform.domains SET verified_at = now() WHERE hostname = '{HOST}' \
         AND tenant_id = (SELECT id FROM platform.tenants WHERE slug = 'globex')"
    );
    admin.batch_execute(&verified).await.unwrap();
    let served = format!(
        "SELECT count(*) FROM platform.tenants WHERE slug = 'globex' AND id = (SELECT tenant_id \
         FROM platform.domains WHERE hostname = '{HOST}' AND verified_at IS NOT NULL)"
    );
    assert_eq!(app.count(&served).await, 1);
}

#[tokio::test]
async fn a_verified_domain_is_found_by_one_index() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let sql = "SET enable_seqscan = off; EXPLAIN (COSTS off) SELECT tenant_id \
        FROM platform.domains WHERE hostname = 'a.example' AND verified_at IS NOT NULL";
    let messages = admin.simple_query(sql).await.unwrap();
    let plan = format!("{messages:?}");
    assert!(plan.contains("using domains_verified_key"), "{plan}");
}
