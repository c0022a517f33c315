//! One rule for hosts: what is the platform's can be nobody's slug or domain, and the other way
//! round.

use serde_json::json;
use testkit::{
    Client, TestApp,
    app::sign_up,
    hosts::{TABLE, Whose, addresses},
};

const DOMAINS: &str = "/control/v1/tenants/acme/domains";

/// Both planes under the addresses of the table, with the tenant `acme`.
async fn start() -> TestApp {
    let app = TestApp::start_with(addresses()).await;
    let anyone = app.anonymous();
    let made = anyone.post("/tenants/register", sign_up("acme", "free"));
    made.await.expect(201);
    app
}

/// What a host alone leads to: a tenant, or the refusal.
async fn led_to(app: &TestApp, host: &str) -> String {
    let answer = app.anonymous().with("host", host).get("/api/ping").await;
    if answer.status == 200 {
        answer.json()["tenant"].as_str().unwrap().to_owned()
    } else {
        answer.problem()
    }
}

/// Claims a domain and has it verified; whether both were done.
async fn claimed(operator: &Client, host: &str) -> bool {
    let claim = operator.post(DOMAINS, json!({ "domain": host })).await;
    let verify = format!("{DOMAINS}/{}/verify", host.trim_end_matches('.'));
    let verified = operator.post(&verify, json!({})).await;
    assert_eq!(claim.status == 201, verified.status == 200, "{host}");
    claim.status == 201
}

#[tokio::test]
async fn a_host_leads_to_the_tenant_who_can_have_it_and_no_other() {
    let app = start().await;
    for (host, whose) in TABLE {
        let expected = match whose {
            Whose::Platform => "tenant-required",
            Whose::Slug(slug) => slug,
            Whose::Domain(_) | Whose::Nobody => "tenant-not-found",
        };
        assert_eq!(led_to(&app, host).await, expected, "{host}");
    }
}

#[tokio::test]
async fn what_can_be_claimed_is_served_and_what_is_served_otherwise_cannot_be_claimed() {
    let app = start().await;
    let operator = app.operator().await;
    for (host, whose) in TABLE {
        let expected = matches!(whose, Whose::Domain(_));
        assert_eq!(claimed(&operator, host).await, expected, "{host}");
        if expected {
            let visitor = app.anonymous().with("host", host);
            visitor.eventually("/api/ping", 200).await;
            assert_eq!(led_to(&app, host).await, "acme");
        }
    }
}

#[tokio::test]
async fn a_slug_whose_subdomain_is_the_platforms_cannot_be_had() {
    let app = start().await;
    let (anyone, operator) = (app.anonymous(), app.operator().await);
    for slug in ["portal", "gate"] {
        let asked = anyone.get(&format!("/tenants/register?slug={slug}")).await;
        assert_eq!(asked.json()["reason"], "is reserved", "{slug}");
        let made = anyone.post("/tenants/register", sign_up(slug, "free"));
        let refused = made.await.expect(422).json();
        assert_eq!(refused["errors"]["tenant_slug"], json!(["is reserved"]));
        let renamed = operator.patch("/control/v1/tenants/acme", json!({ "slug": slug }));
        let refused = renamed.await.expect(422).json();
        assert_eq!(refused["errors"]["slug"], json!(["is reserved"]));
    }
}
