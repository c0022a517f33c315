use axum::body::{Body, to_bytes};
use http::{Request, StatusCode};
use tower::ServiceExt;

use super::*;
use crate::Kind;

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn ask(path: &str, accept: &str) -> (StatusCode, HeaderMap, String) {
    let api = OpenApi::default();
    let request = Request::get(path)
        .header(header::ACCEPT, accept)
        .body(Body::empty())
        .unwrap();
    let answer = routes(&api).unwrap().oneshot(request).await.unwrap();
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    (parts.status, parts.headers, text)
}

#[tokio::test]
async fn the_root_leads_a_browser_to_the_documentation_and_a_program_to_the_description() {
    let (status, headers, _) = ask("/", BROWSER).await;
    assert_eq!(status, 303);
    assert_eq!(headers[header::LOCATION], "/docs");
    for accept in ["*/*", "application/json"] {
        let (status, headers, text) = ask("/", accept).await;
        assert_eq!(
            (status.as_u16(), &headers[header::VARY]),
            (200, &"Accept".parse().unwrap())
        );
        assert!(text.contains("\"/openapi.json\""), "{text}");
    }
}

#[tokio::test]
async fn every_kind_of_problem_has_its_page() {
    for kind in Kind::ALL {
        let path = format!("/problems/{}", kind.slug());
        let (status, headers, page) = ask(&path, BROWSER).await;
        assert_eq!(status, 200, "{path}");
        assert!(
            headers[header::CONTENT_TYPE]
                .to_str()
                .unwrap()
                .starts_with("text/html")
        );
        assert!(page.contains(kind.title()) && page.contains(kind.explanation().remedy));
        let (_, _, json) = ask(&path, "application/json").await;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["type"], path);
        assert_eq!(json["status"], kind.status().as_u16());
        assert_eq!(json["meaning"], kind.explanation().meaning);
    }
    let (status, ..) = ask("/problems/no-such-kind", BROWSER).await;
    assert_eq!(status, 404);
    let (_, _, all) = ask("/problems", BROWSER).await;
    assert_eq!(all.matches("<li>").count(), Kind::ALL.len());
}

#[test]
fn the_documentation_may_call_what_its_description_names() {
    use utoipa::openapi::ServerBuilder;
    let urls = [
        "https://api.example:8443",
        "https://{slug}.tenants.example",
        "https://api.example:8443/tenants/{slug}",
        "https://a.example;script-src *",
    ];
    let servers = urls.map(|url| ServerBuilder::new().url(url).build());
    let mut api = OpenApi::default();
    api.servers = Some(servers.into());
    let policy = page::policy(&api);
    let sources = "; connect-src 'self' https://*.tenants.example https://api.example:8443; ";
    assert!(policy.to_str().unwrap().contains(sources), "{policy:?}");
}

#[tokio::test]
async fn the_documentation_loads_nothing_inline_and_nothing_from_elsewhere() {
    let (status, headers, page) = ask("/docs", BROWSER).await;
    assert_eq!(status, 200);
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(
        !policy.contains("unsafe") && policy.contains("script-src 'self'"),
        "{policy}"
    );
    for inline in ["<style", " style=", "<script>", "=\"http"] {
        assert!(!page.contains(inline), "{inline}");
    }
    let links = page.split(['"']).filter(|part| part.starts_with("/docs/"));
    for link in links.collect::<Vec<_>>() {
        let (status, headers, text) = ask(link, "*/*").await;
        assert_eq!(status, 200, "{link}");
        assert!(text.len() > 100, "{link}");
        assert!(
            headers[header::CACHE_CONTROL]
                .to_str()
                .unwrap()
                .contains("immutable"),
            "{link}"
        );
    }
}
