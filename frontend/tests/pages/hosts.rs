//! What a host leads to, and that nothing is made of one that is nobody's.

use axum::body::Body;
use http::Request;
use testkit::hosts::{TABLE, Whose, addresses};

use crate::support::{Page, answering, ask, ask_again, get, nobody, pages_at, post};

/// Where a request for the front page of a host got to.
async fn led_to(host: &str) -> &'static str {
    let pages = pages_at(nobody().await, &addresses());
    let page = ask_again(&pages, get(host, "/")).await;
    match page.status.as_u16() {
        200 if page.text.contains("tenant_slug") => "the platform",
        // Whose page it is the plane would know, which nobody is here.
        503 => "a plane",
        status => panic!("{host}: {status}"),
    }
}

#[tokio::test]
async fn a_host_is_the_platforms_here_where_it_is_everywhere() {
    for (host, whose) in TABLE {
        let expected = match whose {
            Whose::Platform => "the platform",
            Whose::Slug(_) | Whose::Domain(_) | Whose::Nobody => "a plane",
        };
        assert_eq!(led_to(host).await, expected, "{host}");
    }
}

/// A host that no tenant has, as the data plane answers for it.
async fn asked(request: impl AsyncFn(std::net::SocketAddr) -> Request<Body>) -> Page {
    let body = r#"{"type":"/problems/tenant-not-found","status":404}"#;
    let media_type = "content-type: application/problem+json\r\n";
    let plane = answering("404 Not Found", media_type, body).await;
    ask(plane, request(plane).await).await
}

fn is_free_of(page: &Page, host: &str, what: &str) {
    assert!(!page.text.contains(host), "{what}: {}", page.text);
    for (name, value) in &page.headers {
        let value = value.to_str().unwrap();
        assert!(!value.contains(host), "{what}: {name}: {value}");
        assert!(!value.to_ascii_lowercase().contains("domain="), "{what}");
    }
    let to = page.header("location");
    assert!(to.is_empty() || to.starts_with('/') && !to.starts_with("//"));
}

#[tokio::test]
async fn no_route_makes_anything_of_a_host_that_is_nobodys() {
    const HOST: &str = "evil.example";
    for path in frontend::paths() {
        let path = path.replace("{name}", "tenantry.css");
        let path = format!("{path}?return_to=%2Foauth%2Fauthorize&slug=a");
        let shown = asked(async |_| get(HOST, &path)).await;
        is_free_of(&shown, HOST, &path);
        let fields = "username=ada&password=x&return_to=%2Fa";
        let posted = asked(async |plane| post(plane, HOST, &path, fields).await).await;
        is_free_of(&posted, HOST, &path);
        for page in [shown, posted] {
            let status = page.status.as_u16();
            assert!([200, 303, 404, 405].contains(&status), "{path}: {status}");
        }
    }
}

#[tokio::test]
async fn a_tenants_pages_are_not_found_on_a_host_that_is_nobodys() {
    for path in ["/", "/sign-in", "/register", "/oauth/authorize?client_id=a"] {
        let page = asked(async |_| get("evil.example", path)).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.text.contains("Workspace not found"));
    }
}
