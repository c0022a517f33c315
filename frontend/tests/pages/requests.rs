//! What is refused, sent on or answered before a plane is asked: no plane listens here.

use crate::support::{Page, ask, get, nobody, post};
use axum::body::Body;
use http::{HeaderValue, Request, StatusCode, header};

const PLATFORM: &str = "localhost:8000";
const ACME: &str = "acme.localhost:8000";

async fn page(request: Request<Body>) -> Page {
    ask(nobody().await, request).await
}

async fn form(host: &str, path: &str) -> Request<Body> {
    post(nobody().await, host, path, "username=ada&password=x").await
}

/// Whether the form was let through to the plane that is not there.
async fn accepted(request: Request<Body>) -> bool {
    match page(request).await.status {
        StatusCode::SERVICE_UNAVAILABLE => true,
        StatusCode::FORBIDDEN => false,
        status => panic!("{status}"),
    }
}

#[tokio::test]
async fn a_form_of_ours_is_accepted() {
    assert!(accepted(form(ACME, "/sign-in").await).await);
}

#[tokio::test]
async fn a_form_without_its_proof_is_not() {
    for path in ["/sign-in", "/register", "/sign-out"] {
        let mut without_cookie = form(ACME, path).await;
        without_cookie.headers_mut().remove(header::COOKIE);
        assert!(!accepted(without_cookie).await, "{path}");

        let mut without_field = form(ACME, path).await;
        *without_field.body_mut() = Body::from("username=ada&password=x");
        assert!(!accepted(without_field).await, "{path}");
    }
}

#[tokio::test]
async fn a_form_of_another_host_is_not() {
    for origin in [
        "http://globex.localhost:8000",
        "http://localhost:8000",
        "null",
    ] {
        let mut foreign = form(ACME, "/sign-in").await;
        foreign
            .headers_mut()
            .insert(header::ORIGIN, HeaderValue::from_static(origin));
        assert!(!accepted(foreign).await, "{origin}");
    }
}

#[tokio::test]
async fn a_page_is_found_on_its_own_host_alone() {
    for (host, path) in [
        (PLATFORM, "/sign-in"),
        (PLATFORM, "/register"),
        (PLATFORM, "/welcome"),
        (PLATFORM, "/oauth/authorize"),
        (ACME, "/signup/slug?slug=a"),
        (ACME, "/nowhere"),
    ] {
        let page = page(get(host, path)).await;
        assert_eq!(page.status, 404, "{host}{path}");
        assert!(page.text.contains("Page not found"));
    }
}

#[tokio::test]
async fn too_much_is_refused_as_a_page() {
    let request = post(nobody().await, ACME, "/sign-in", &"a".repeat(2 << 20)).await;
    let page = page(request).await;
    assert_eq!(page.status, 413);
    assert!(page.text.contains("The request is too large"));
}

#[tokio::test]
async fn whoever_asks_for_json_keeps_the_problem() {
    let mut request = get(ACME, "/nowhere");
    request
        .headers_mut()
        .insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let page = page(request).await;
    assert_eq!(page.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn odd_hosts_are_a_fault_of_the_request() {
    for host in ["", "a b", "acme.localhost:8000:1", "acme@localhost:8000"] {
        assert_eq!(page(get(host, "/")).await.status, 400, "{host:?}");
    }
    let mut two = get(ACME, "/");
    two.headers_mut()
        .append(header::HOST, HeaderValue::from_static(PLATFORM));
    assert_eq!(page(two).await.status, 400);
}

#[tokio::test]
async fn every_answer_forbids_what_pages_never_do() {
    for path in ["/", "/nowhere", "/static/tenantry.css", "/health/live"] {
        let page = page(get(PLATFORM, path)).await;
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'self';") && !policy.contains("unsafe"),
            "{path}"
        );
        assert!(policy.contains("form-action 'self'"), "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
    }
}

#[tokio::test]
async fn pages_are_not_stored_and_assets_are_kept() {
    let front = page(get(PLATFORM, "/")).await;
    assert_eq!(front.header("cache-control"), "no-store");
    let (_, link) = front.text.split_once("rel=\"stylesheet\" href=\"").unwrap();
    let (link, _) = link.split_once('"').unwrap();
    let sheet = page(get(PLATFORM, link)).await;
    assert_eq!(
        sheet.header("cache-control"),
        "public, max-age=31536000, immutable"
    );

    let mut again = get(PLATFORM, "/static/tenantry.css");
    again
        .headers_mut()
        .insert(header::IF_NONE_MATCH, sheet.header("etag").parse().unwrap());
    assert_eq!(page(again).await.status, 304);
}

#[tokio::test]
async fn nothing_stands_inline_or_comes_from_elsewhere() {
    let front = page(get(PLATFORM, "/")).await;
    for inline in [
        "<style",
        " style=",
        " onclick=",
        "<script>",
        "src=\"http",
        "href=\"http",
    ] {
        assert!(!front.text.contains(inline), "{inline}");
    }
}
