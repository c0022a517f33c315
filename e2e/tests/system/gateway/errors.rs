//! What nginx answers by itself.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{browser::Browser, raw::send};
use serde_json::Value;
use service::Kind;
use sha2::{Digest, Sha256};

use super::{Fixture, client_at};

const TABLE: &str = include_str!("../../../../docker/nginx/errors.conf");
const PAGE: &str = include_str!("../../../../docker/nginx/error.html");
const HEADERS: &str = include_str!("../../../../docker/nginx/error-pages.conf");

/// Requests that nginx refuses by itself: status, kind, the request.
fn refused() -> Vec<(u16, &'static str, String)> {
    let close = "Host: localhost\r\nConnection: close\r\n";
    let long = "x".repeat(9000);
    vec![
        (400, "malformed-request", "NONSENSE\r\n\r\n".to_owned()),
        (
            400,
            "malformed-request",
            "GET / HTTP/1.1\r\n\r\n".to_owned(),
        ),
        (
            400,
            "malformed-request",
            format!("GET / HTTP/3.0\r\n{close}\r\n"),
        ),
        (
            400,
            "malformed-request",
            format!("GET /{long} HTTP/1.1\r\n{close}\r\n"),
        ),
        (
            400,
            "malformed-request",
            format!("GET / HTTP/1.1\r\nX: {long}\r\n{close}\r\n"),
        ),
        (
            400,
            "malformed-request",
            format!("POST / HTTP/1.1\r\nTransfer-Encoding: br\r\n{close}\r\n"),
        ),
        (
            404,
            "not-found",
            format!("GET /.gateway/error HTTP/1.1\r\n{close}\r\n"),
        ),
        (
            400,
            "malformed-request",
            "GET /.gateway/error%20x HTTP/1.1\r\nHost: a,b\r\nConnection: close\r\n\r\n".to_owned(),
        ),
        (
            405,
            "method-not-allowed",
            format!("TRACE / HTTP/1.1\r\n{close}\r\n"),
        ),
        (
            413,
            "body-too-large",
            format!("POST / HTTP/1.1\r\nContent-Length: 1048577\r\n{close}\r\n"),
        ),
        (503, "unavailable", format!("GET / HTTP/1.1\r\n{close}\r\n")),
    ]
}

#[tokio::test]
async fn each_of_its_errors_is_a_problem_or_a_page_with_every_header_once() {
    let fixture = Fixture::start(&[("CLIENT_TIMEOUT_SECONDS", "1")]).await;
    fixture.recorder.hang_up().await;
    for (status, kind, request) in refused() {
        let what = &request[..request.len().min(40)];
        let problem = send(fixture.gateway.api, request.as_bytes()).await;
        assert!(
            problem.0.starts_with(&format!("HTTP/1.1 {status}")),
            "{what}: {problem:?}"
        );
        assert_eq!(
            problem.all("Content-Type"),
            ["application/problem+json"],
            "{what}"
        );
        let body: Value = serde_json::from_str(problem.body()).unwrap();
        assert_eq!(body["type"], format!("/problems/{kind}"), "{what}");
        assert_eq!(body["status"], status, "{what}");
        assert_eq!(problem.all("X-Request-Id"), [&body["request_id"]], "{what}");

        let page = send(fixture.gateway.pages, request.as_bytes()).await;
        assert_eq!(page.status(), status, "{what}: {page:?}");
        assert_eq!(
            page.all("Content-Type"),
            ["text/html; charset=utf-8"],
            "{what}"
        );
        assert!(page.0.contains(page.all("X-Request-Id")[0]), "{what}");
        assert!(!page.0.contains("<!--#"), "{what}");
        for header in [
            "Content-Security-Policy",
            "Referrer-Policy",
            "X-Frame-Options",
            "Cross-Origin-Opener-Policy",
            "Cross-Origin-Resource-Policy",
        ] {
            assert_eq!(page.all(header).len(), 1, "{what}: {header}");
        }
        for answer in [problem, page] {
            assert_eq!(answer.all("X-Content-Type-Options"), ["nosniff"], "{what}");
            assert_eq!(answer.all("Cache-Control"), ["no-store"], "{what}");
            assert_eq!(answer.all("Server"), ["nginx"], "{what}");
            let retry = answer.all("Retry-After");
            assert_eq!(retry.is_empty(), status != 503, "{what}");
        }
    }
}

#[tokio::test]
async fn its_errors_carry_hsts_where_browsers_come_over_tls() {
    for (url, sent) in [("https://api.example", true), ("http://api.example", false)] {
        let settings = [("CLIENT_TIMEOUT_SECONDS", "1"), ("API_PUBLIC_URL", url)];
        let fixture = Fixture::start(&settings).await;
        fixture.recorder.hang_up().await;
        for (status, _, request) in refused() {
            for port in [fixture.gateway.api, fixture.gateway.pages] {
                let answer = send(port, request.as_bytes()).await;
                let wanted: &[&str] = if sent { &["max-age=31536000"] } else { &[] };
                let what = &request[..request.len().min(40)];
                assert_eq!(
                    answer.all("Strict-Transport-Security"),
                    wanted,
                    "{status} {what}"
                );
            }
        }
    }
}

#[tokio::test]
async fn under_the_protocols_paths_its_errors_have_the_members_of_rfc_6749() {
    let fixture = Fixture::start(&[]).await;
    fixture.recorder.hang_up().await;
    let long = "x".repeat(9000);
    for (status, error, request) in [
        (
            503,
            "temporarily_unavailable",
            "GET /oauth/userinfo HTTP/1.1\r\nHost: localhost".to_owned(),
        ),
        (
            503,
            "temporarily_unavailable",
            "GET /tenants/acme/.well-known/x HTTP/1.1\r\nHost: localhost".to_owned(),
        ),
        (
            405,
            "invalid_request",
            "TRACE /oauth/token HTTP/1.1\r\nHost: localhost".to_owned(),
        ),
        (
            413,
            "invalid_request",
            "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048577".to_owned(),
        ),
        (
            400,
            "invalid_request",
            "GET /oauth/token HTTP/1.1".to_owned(),
        ),
        (
            400,
            "invalid_request",
            format!("GET /oauth/token?{long} HTTP/1.1\r\nHost: localhost"),
        ),
    ] {
        let request =
            format!("{request}\r\nOrigin: https://app.example\r\nConnection: close\r\n\r\n");
        let what = &request[..request.len().min(40)];
        let answer = send(fixture.gateway.api, request.as_bytes()).await;
        assert_eq!(answer.status(), status, "{what}: {answer:?}");
        assert_eq!(answer.all("Content-Type"), ["application/json"], "{what}");
        let body: Value = serde_json::from_str(answer.body()).unwrap();
        assert_eq!(body["error"], error, "{what}");
        assert_eq!(body["error_description"], body["title"], "{what}");
        assert_eq!(body["status"], status, "{what}");
        assert_eq!(answer.all("X-Request-Id"), [&body["request_id"]], "{what}");
    }
}

#[tokio::test]
async fn pages_that_may_call_can_read_its_errors() {
    let fixture = Fixture::start(&[]).await;
    fixture.recorder.hang_up().await;
    let client = client_at([127, 0, 0, 1]);
    let origin = "https://app.example";
    for (path, allowed, varies) in [
        ("/oauth/token", Some(origin), true),
        ("/tenants/acme/api/notes", Some(origin), true),
        ("/oauth/jwks", Some("*"), false),
        ("/.well-known/openid-configuration", Some("*"), false),
        ("/oauth/login", None, false),
        ("/tenants/users", None, false),
    ] {
        let request = client.get(fixture.url(path)).header("Origin", origin);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 503);
        let header = |name: &str| {
            answer
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap())
        };
        assert_eq!(header("access-control-allow-origin"), allowed, "{path}");
        assert_eq!(header("vary").is_some(), varies, "{path}");
        let exposed = header("access-control-expose-headers").unwrap_or_default();
        assert_eq!(exposed.contains("Retry-After"), allowed.is_some(), "{path}");
        assert_eq!(header("access-control-allow-credentials"), None);
    }
}

#[tokio::test]
async fn what_a_service_answers_passes_as_it_is() {
    use e2e::recorder::{Recorder, answer};
    let recorder = Recorder::answering(0, |seen| {
        let status = seen.target()[1..].parse().unwrap();
        let headers = [
            ("X-Content-Type-Options", "nosniff"),
            ("Content-Security-Policy", "default-src 'self'"),
            ("Cache-Control", "no-store"),
            ("Retry-After", "7"),
            ("X-Request-Id", seen.all("X-Request-Id")[0]),
            // A service that is not itself any more still does not steer nginx.
            ("X-Accel-Redirect", "/.gateway/error"),
            ("X-Accel-Limit-Rate", "1"),
        ];
        answer(status, &headers, "its own")
    })
    .await;
    let fixture = Fixture::before(recorder, &[]).await;
    for port in [fixture.gateway.api, fixture.gateway.pages] {
        for status in [200, 400, 404, 413, 429, 500, 502, 503] {
            let url = format!("http://127.0.0.1:{port}/{status}");
            let answer = client_at([127, 0, 0, 1]).get(url).send().await.unwrap();
            assert_eq!(answer.status(), status);
            for (name, count) in [
                ("x-content-type-options", 1),
                ("content-security-policy", 1),
                ("cache-control", 1),
                ("retry-after", 1),
                ("x-request-id", 1),
                ("x-accel-redirect", 0),
                ("x-accel-limit-rate", 0),
            ] {
                let found = answer.headers().get_all(name).iter().count();
                assert_eq!(found, count, "{status}: {name}");
            }
            assert_eq!(answer.text().await.unwrap(), "its own");
        }
    }
}

#[test]
fn kinds_are_the_services_own() {
    let kinds: BTreeMap<&str, Kind> = Kind::ALL.iter().map(|kind| (kind.slug(), *kind)).collect();
    let rows: Vec<Value> = TABLE
        .lines()
        .filter_map(|line| line.split_once("'\"type\"")?.1.strip_suffix("';"))
        .map(|row| serde_json::from_str(&format!("{{\"type\"{row}}}")).unwrap())
        .collect();
    assert!(rows.len() > 5);
    for row in rows {
        let slug = row["type"]
            .as_str()
            .unwrap()
            .strip_prefix("/problems/")
            .unwrap();
        let kind = kinds[slug];
        assert_eq!(row["title"], kind.title());
        assert_eq!(row["status"], kind.status().as_u16());
    }
}

#[test]
fn the_pages_style_sheet_is_the_one_that_its_policy_allows() {
    let style = PAGE
        .split_once("<style>")
        .unwrap()
        .1
        .split_once("</style>")
        .unwrap()
        .0;
    let digest = STANDARD.encode(Sha256::digest(style));
    assert!(
        HEADERS.contains(&format!("'sha256-{digest}'")),
        "sha256-{digest}"
    );
}

#[tokio::test]
async fn the_page_looks_like_the_others() {
    let fixture = Fixture::start(&[]).await;
    fixture.recorder.hang_up().await;
    for width in [390, 1280] {
        let browser = Browser::start(true, width).await;
        browser
            .open(&format!("http://localhost:{}/", fixture.gateway.pages))
            .await;
        let text = browser.text().await;
        assert!(text.contains("Temporarily unavailable"), "{text}");
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/pictures");
        let file = std::path::PathBuf::from(folder).join(format!("gateway-{width}.png"));
        browser.picture(&file).await;
    }
}
