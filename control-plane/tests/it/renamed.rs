//! A slug that its tenant gave up: where requests that name it are sent.

use control_plane::{NewNames, reaper};
use http::Method;
use serde_json::json;
use service::{Patched, body::Text};
use testkit::{Answer, Client, TestApp};
use time::Duration;

async fn rename(app: &TestApp, from: &str, to: &str) {
    let names = NewNames {
        slug: Patched::Value(Text::Given(to.to_owned())),
        ..NewNames::default()
    };
    let from = from.parse().unwrap();
    app.control.rename(&from, names, "tests").await.unwrap();
    let visitor = app.anonymous().with("x-tenant-slug", to);
    visitor.eventually("/api/ping", 200).await;
}

/// `acme`, which is called `globex` now.
async fn start() -> TestApp {
    let app = TestApp::start().await;
    app.tenant("acme").anonymous().await;
    rename(&app, "acme", "globex").await;
    app
}

fn at(app: &TestApp, host: &str) -> Client {
    app.anonymous().with("host", host)
}

/// Where an answer sends the client on to.
fn sent_to(answer: &Answer) -> &str {
    assert_eq!(answer.status, 308, "{}", answer.text());
    assert_eq!(answer.problem(), "tenant-renamed");
    assert_eq!(answer.json()["tenant_slug"], "globex");
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.header("location")
}

#[tokio::test]
async fn a_host_is_put_right_and_method_path_and_query_stay() {
    let app = start().await;
    let acme = at(&app, "acme.localhost:8080");
    let globex = "http://globex.localhost:8080";
    let got = acme.get("/api/notes?limit=2&cursor=a%2Fb").await;
    let path = "/api/notes?limit=2&cursor=a%2Fb";
    assert_eq!(sent_to(&got), format!("{globex}{path}"));
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = acme.json(method, "/tenants/settings?a=1", &json!({})).await;
        if answer.status != 405 {
            assert_eq!(sent_to(&answer), format!("{globex}/tenants/settings?a=1"));
        }
    }
    let token = acme.form("/oauth/token", &[("grant_type", "password")]);
    assert_eq!(sent_to(&token.await), format!("{globex}/oauth/token"));
    let both = acme.get("/tenants/acme//evil.example").await;
    assert_eq!(both.status, 404);
    let both = acme.get("/tenants/acme/api/ping?x").await;
    let there = format!("{globex}/tenants/globex/api/ping?x");
    assert_eq!(sent_to(&both), there);
}

#[tokio::test]
async fn a_path_is_put_right_on_the_host_it_came_to() {
    let app = start().await;
    for host in ["localhost:8080", "127.0.0.1:8080", "globex.localhost"] {
        let answer = at(&app, host).get("/tenants/acme/api/ping?x=1").await;
        assert_eq!(sent_to(&answer), "/tenants/globex/api/ping?x=1", "{host}");
        at(&app, host).get(sent_to(&answer)).await.expect(200);
    }
}

#[tokio::test]
async fn a_header_is_sent_on_to_the_path_and_whoever_follows_with_it_is_served() {
    let app = start().await;
    let old = app.anonymous().with("x-tenant-slug", "acme");
    let answer = old.get("/api/ping?x=1").await;
    assert_eq!(sent_to(&answer), "/tenants/globex/api/ping?x=1");
    let followed = old.get(sent_to(&answer)).await.expect(200);
    assert_eq!(followed.json()["tenant"], "globex");
    let by_host = old.with("host", "globex.localhost:8080");
    by_host.get("/api/ping").await.expect(200);
}

#[tokio::test]
async fn a_former_slug_names_its_tenant_and_no_other() {
    let app = start().await;
    app.tenant("initech").anonymous().await;
    for client in [
        at(&app, "initech.localhost").with("x-tenant-slug", "acme"),
        at(&app, "acme.localhost").with("x-tenant-slug", "initech"),
    ] {
        let refused = client.get("/api/ping").await.expect(400);
        assert_eq!(refused.problem(), "tenant-mismatch");
    }
}

#[tokio::test]
async fn slugs_given_up_one_after_the_other_lead_to_the_last() {
    let app = start().await;
    rename(&app, "globex", "initech").await;
    for slug in ["acme", "globex"] {
        let host = format!("{slug}.localhost");
        at(&app, &host).eventually("/api/ping", 308).await;
        let answer = at(&app, &host).get("/api/ping").await;
        let there = "http://initech.localhost:8080/api/ping";
        assert_eq!(answer.header("location"), there);
    }
    rename(&app, "initech", "acme").await;
    at(&app, "acme.localhost")
        .eventually("/api/ping", 200)
        .await;
    at(&app, "initech.localhost")
        .eventually("/api/ping", 308)
        .await;
}

#[tokio::test]
async fn a_tenant_that_is_not_served_is_not_served_under_its_former_slug_either() {
    let app = start().await;
    let slug = "globex".parse().unwrap();
    let acme = at(&app, "acme.localhost");
    app.control.suspend(&slug, "tests").await.unwrap();
    acme.eventually("/api/ping", 403).await;
    app.control.delete(&slug, "tests").await.unwrap();
    acme.eventually("/api/ping", 404).await;
}

#[tokio::test]
async fn when_the_hold_is_over_the_slug_is_nobodys_and_then_anothers() {
    let app = start().await;
    let acme = at(&app, "acme.localhost");
    acme.get("/api/ping").await.expect(308);
    app.clock.advance(Duration::days(31));
    reaper::look(&app.control).await;
    acme.eventually("/api/ping", 404).await;
    app.tenant("acme").anonymous().await;
    acme.eventually("/api/ping", 200).await;
}

#[tokio::test]
async fn one_who_takes_a_slug_whose_hold_is_over_is_served_before_anybody_swept() {
    let app = start().await;
    let acme = at(&app, "acme.localhost");
    acme.get("/api/ping").await.expect(308);
    app.clock.advance(Duration::days(31));
    app.tenant("acme").anonymous().await;
    acme.eventually("/api/ping", 200).await;
    let name = acme.get("/tenants/info").await.json();
    assert_eq!(name["slug"], "acme");
}
