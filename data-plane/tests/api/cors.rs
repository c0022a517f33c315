//! Which pages of other origins may call a tenant.

use http::Method;
use serde_json::{Value, json};
use testkit::{Answer, Client, TestApp};

const PAGE: &str = "https://app.example";

/// A page of an origin, which names its tenant by host.
fn page(app: &TestApp, origin: &str) -> Client {
    app.anonymous()
        .with("host", "acme.localhost:8080")
        .with("origin", origin)
}

async fn preflight(client: &Client, path: &str) -> Answer {
    let asking = client.clone().with("access-control-request-method", "POST");
    let asking = asking.with("access-control-request-headers", "authorization");
    asking.send(Method::OPTIONS, path, None, Vec::new()).await
}

async fn register(owner: &Client, member: &str, value: Value) -> String {
    let mut metadata = json!({"client_name": "app", "grant_types": ["client_credentials"]});
    metadata[member] = value;
    let answer = owner
        .post("/oauth/client/register", metadata)
        .await
        .expect(201);
    answer.json()["client_id"].as_str().unwrap().to_owned()
}

fn allowed(answer: &Answer) -> &str {
    assert!(
        !answer
            .headers
            .contains_key("access-control-allow-credentials")
    );
    answer.header("access-control-allow-origin")
}

fn varies(answer: &Answer) -> bool {
    let values = answer.headers.get_all("vary");
    values
        .iter()
        .any(|value| value.to_str().unwrap().contains("Origin"))
}

#[tokio::test]
async fn a_page_of_a_clients_origin_may_call() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    register(&owner, "redirect_uris", json!(["https://app.example/cb?x"])).await;
    let page = page(&app, PAGE);
    let by_path = app.anonymous().with("origin", PAGE);
    for (client, path) in [
        (&page, "/oauth/token"),
        (&page, "/oauth/revoke"),
        (&page, "/oauth/userinfo"),
        (&page, "/api/notes"),
        (&by_path, "/tenants/acme/api/notes/1"),
    ] {
        let answer = preflight(client, path).await.expect(204);
        assert_eq!(allowed(&answer), PAGE, "{path}");
        assert!(varies(&answer) && answer.body.is_empty(), "{path}");
        assert_eq!(answer.header("access-control-max-age"), "600");
        let headers = answer.header("access-control-allow-headers");
        assert!(
            headers.contains("Authorization") && headers.contains("DPoP"),
            "{headers}"
        );
        assert!(
            answer
                .header("access-control-allow-methods")
                .contains("PATCH")
        );
        assert!(answer.headers.contains_key("x-request-id"));
    }
}

#[tokio::test]
async fn errors_can_be_read_too() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    register(&owner, "redirect_uris", json!(["https://app.example/cb"])).await;
    let page = page(&app, PAGE);
    let long = vec![b'x'; 1_100_000];
    for answer in [
        page.get("/api/ping").await.expect(200),
        page.get("/api/protected").await.expect(401),
        page.get("/api/nothing").await.expect(404),
        page.delete("/api/notes").await.expect(405),
        page.send(
            Method::POST,
            "/oauth/token",
            Some("application/x-www-form-urlencoded"),
            long,
        )
        .await
        .expect(413),
        page.form("/oauth/token", &[]).await.expect(400),
    ] {
        assert_eq!(allowed(&answer), PAGE, "{}", answer.text());
        assert!(varies(&answer));
        let exposed = answer.header("access-control-expose-headers");
        for name in [
            "ETag",
            "Location",
            "WWW-Authenticate",
            "DPoP-Nonce",
            "Retry-After",
            "RateLimit",
            "RateLimit-Policy",
            "X-Request-Id",
        ] {
            assert!(exposed.contains(name), "{name}");
        }
    }
}

#[tokio::test]
async fn other_origins_and_other_paths_are_left_to_themselves() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    register(&owner, "redirect_uris", json!(["https://app.example/cb"])).await;
    app.tenant("globex").anonymous().await;
    for origin in [
        "https://evil.example",
        "http://app.example",
        "https://app.example:8443",
        "https://APP.example",
        "null",
        "https://app.example.evil.example",
        "*",
    ] {
        let other = page(&app, origin);
        for answer in [
            preflight(&other, "/api/notes").await.expect(204),
            other.get("/api/ping").await.expect(200),
        ] {
            assert_eq!(allowed(&answer), "", "{origin}");
            assert!(varies(&answer), "{origin}");
        }
    }
    let sibling = page(&app, PAGE).with("host", "globex.localhost:8080");
    assert_eq!(
        allowed(&preflight(&sibling, "/api/notes").await.expect(204)),
        ""
    );
    let page = page(&app, PAGE);
    for path in [
        "/oauth/login",
        "/oauth/client/register",
        "/tenants/users",
        "/tenants/register",
    ] {
        let answer = preflight(&page, path).await.expect(405);
        assert_eq!(allowed(&answer), "", "{path}");
    }
    assert_eq!(
        page.send(Method::OPTIONS, "/api/ping", None, vec![])
            .await
            .status,
        405
    );
}

#[tokio::test]
async fn without_a_tenant_a_preflight_is_answered_without_rights() {
    let app = TestApp::start().await;
    app.tenant("acme").anonymous().await;
    let page = app.anonymous().with("origin", PAGE);
    for path in [
        "/oauth/token",
        "/api/notes",
        "/.well-known/openid-configuration",
        "/tenants/nobody/api/notes",
    ] {
        let answer = preflight(&page, path).await.expect(204);
        let rights = answer
            .headers
            .keys()
            .filter(|name| name.as_str().starts_with("access-"));
        assert_eq!(rights.count(), 0, "{path}: {:?}", answer.headers);
    }
}

#[tokio::test]
async fn discovery_is_for_everybody() {
    let app = TestApp::start().await;
    app.tenant("acme").anonymous().await;
    let page = page(&app, "https://anybody.example");
    for path in ["/.well-known/oauth-authorization-server", "/oauth/jwks"] {
        assert_eq!(allowed(&preflight(&page, path).await.expect(204)), "*");
        let answer = page.get(path).await;
        assert_eq!(allowed(&answer), "*");
        assert!(!varies(&answer), "it is kept by caches, one for all");
    }
}

#[tokio::test]
async fn what_a_client_registers_counts_everywhere_and_ends_with_it() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let (there, here) = (app.another_node(), page(&app, PAGE));
    let there = there.with("host", "acme.localhost").with("origin", PAGE);
    assert_eq!(allowed(&preflight(&there, "/api/notes").await), "");
    assert_eq!(allowed(&preflight(&here, "/api/notes").await), "");

    let id = register(&owner, "allowed_origins", json!([PAGE])).await;
    assert_eq!(allowed(&preflight(&here, "/api/notes").await), PAGE);
    testkit::wait::until("the other node", async || {
        allowed(&preflight(&there, "/api/notes").await) == PAGE
    })
    .await;

    owner
        .delete(&format!("/oauth/client/{id}"))
        .await
        .expect(204);
    assert_eq!(allowed(&preflight(&here, "/api/notes").await), "");
    testkit::wait::until("the other node", async || {
        allowed(&preflight(&there, "/api/notes").await).is_empty()
    })
    .await;
}

#[tokio::test]
async fn origins_of_its_own_take_the_place_of_a_clients_redirect_uris() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let metadata = json!({
        "client_name": "app", "redirect_uris": ["https://app.example/cb"],
        "allowed_origins": ["https://other.example"],
    });
    let made = owner
        .post("/oauth/client/register", metadata)
        .await
        .expect(201)
        .json();
    assert_eq!(made["allowed_origins"], json!(["https://other.example"]));
    assert_eq!(
        allowed(&preflight(&page(&app, PAGE), "/api/notes").await),
        ""
    );
    let other = page(&app, "https://other.example");
    assert_eq!(
        allowed(&preflight(&other, "/api/notes").await),
        "https://other.example"
    );
    let listed = owner.get("/oauth/client/list").await.expect(200).json();
    assert_eq!(
        listed["clients"][0]["allowed_origins"],
        json!(["https://other.example"])
    );
}
