//! Planes that answer as ours never do: whatever comes, the visitor is given a page.

use std::net::SocketAddr;

use http::header;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::support::{Page, answering, ask, ask_again, get, nobody, pages, plane, post, recording};

const ACME: &str = "acme.localhost:8000";
const SIGN_IN: &str = "username=ada&password=correct+horse";

async fn is_unavailable(plane: SocketAddr) -> Page {
    is_unavailable_at(plane, "/sign-in").await
}

async fn is_unavailable_at(plane: SocketAddr, path: &str) -> Page {
    let page = ask(plane, get(ACME, path)).await;
    assert_eq!(page.status, 503, "{}", page.text);
    assert_eq!(page.header("retry-after"), "5");
    assert!(page.text.contains("Temporarily unavailable"));
    page
}

#[tokio::test]
async fn nobody_there() {
    is_unavailable(nobody().await).await;
}

#[tokio::test]
async fn unreachable() {
    is_unavailable(plane("").await).await;
}

#[tokio::test]
async fn no_http_at_all() {
    is_unavailable(plane("220 mail ready\r\n").await).await;
}

#[tokio::test]
async fn an_answer_that_breaks_off() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"slug\":";
    is_unavailable(plane(half).await).await;
}

#[tokio::test]
async fn an_answer_of_another_shape() {
    for body in ["<p>welcome", "[]", "null", "{\"slug\": 7}"] {
        let page = is_unavailable(answering("200 OK", "", body).await).await;
        assert!(!page.text.contains("welcome"));
    }
}

#[tokio::test]
async fn an_answer_without_end() {
    let facts = format!("{{\"slug\":\"acme\",\"name\":\"{}\"}}", "a".repeat(2 << 20));
    is_unavailable(answering("200 OK", "", &facts).await).await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = answering("200 OK", "", r#"{"slug":"acme","name":"Acme"}"#).await;
    let location = format!("location: http://{elsewhere}/\r\n");
    is_unavailable(answering("302 Found", &location, "").await).await;
}

#[tokio::test]
async fn a_renamed_tenants_pages_are_at_its_new_host() {
    let body = r#"{"type":"/problems/tenant-renamed","tenant_slug":"globex"}"#;
    let plane = answering("308 Permanent Redirect", "location: /x\r\n", body).await;
    for path in [
        "/",
        "/sign-in?return_to=%2Fa",
        "/register",
        "/oauth/authorize?a=b",
    ] {
        let page = ask(plane, get(ACME, path)).await;
        let to = format!("http://globex.localhost:8000{path}");
        assert_eq!((page.status.as_u16(), page.header("location")), (308, &*to));
        assert_eq!(page.header("cache-control"), "no-store");
    }
    let page = ask(plane, post(plane, ACME, "/sign-in", SIGN_IN).await).await;
    let to = "http://globex.localhost:8000/sign-in";
    assert_eq!((page.status.as_u16(), page.header("location")), (303, to));
}

#[tokio::test]
async fn a_failure_shows_nothing_of_the_inside() {
    let inside = r#"{"type":"/problems/internal","detail":"SELECT secret FROM users"}"#;
    for body in [inside, "SELECT secret FROM users"] {
        let plane = answering("500 Internal Server Error", "", body).await;
        let page = ask(plane, get(ACME, "/")).await;
        assert_eq!(page.status, 500);
        assert!(page.text.contains("Something went wrong"));
        assert!(!page.text.contains("SELECT"));
    }
}

#[tokio::test]
async fn a_sign_up_that_was_not_answered_can_be_sent_again() {
    let plane = nobody().await;
    let fields = "tenant_name=Acme&admin_password=correct+horse&idempotency_key=the-same";
    let page = ask(
        plane,
        post(plane, "localhost:8000", "/signup", fields).await,
    )
    .await;
    assert_eq!(page.status, 503);
    assert!(page.text.contains("will not be signed up twice"));
    assert!(page.text.contains("value=\"the-same\"") && page.text.contains("value=\"Acme\""));
    assert!(!page.text.contains("correct horse"));
}

#[tokio::test]
async fn an_authorization_request_goes_on_to_the_api_of_the_same_host() {
    let plane = answering("200 OK", "", r#"{"slug":"acme","name":"Acme"}"#).await;
    let page = ask(
        plane,
        get("Acme.LocalHost.:8000", "/oauth/authorize?state=b%2Fc"),
    )
    .await;
    let api = "http://acme.localhost:8080/oauth/authorize?state=b%2Fc";
    assert_eq!((page.status.as_u16(), page.header("location")), (303, api));
}

#[tokio::test]
async fn only_the_planes_own_cookies_are_passed_on() {
    let cookies = "set-cookie: tenantry_session=s; HttpOnly\r\nset-cookie: other=1\r\n\
                   set-cookie: tenantry_device=d; HttpOnly\r\n";
    let plane = answering("200 OK", cookies, "{}").await;
    let page = ask(plane, post(plane, ACME, "/sign-in", SIGN_IN).await).await;
    assert_eq!((page.status.as_u16(), page.header("location")), (303, "/"));
    let set: Vec<_> = page.headers.get_all(header::SET_COOKIE).iter().collect();
    assert_eq!(
        set,
        [
            "tenantry_session=s; HttpOnly",
            "tenantry_device=d; HttpOnly"
        ]
    );
}

#[tokio::test]
async fn registering_signs_in_and_goes_on_to_where_one_came_from() {
    let cookies = "set-cookie: tenantry_session=s; HttpOnly\r\n";
    let plane = answering("200 OK", cookies, "{}").await;
    let fields = "username=ada&email=a@b.example&password=correct+horse&return_to=/a%3Fb";
    let page = ask(plane, post(plane, ACME, "/register", fields).await).await;
    assert_eq!(
        (page.status.as_u16(), page.header("location")),
        (303, "/a?b")
    );
    assert_eq!(page.header("set-cookie"), "tenantry_session=s; HttpOnly");
}

#[tokio::test]
async fn a_sign_in_code_becomes_a_session_and_leaves_the_url() {
    let cookies = "set-cookie: tenantry_session=s; HttpOnly\r\n";
    let plane = answering("200 OK", cookies, "{}").await;
    let page = ask(plane, get(ACME, "/welcome?code=tnt_sc_x")).await;
    assert_eq!(
        (page.status.as_u16(), page.header("location")),
        (303, "/welcome")
    );
    assert_eq!(page.header("set-cookie"), "tenantry_session=s; HttpOnly");

    let used = r#"{"type":"/problems/unauthorized"}"#;
    let plane = answering("401 Unauthorized", "", used).await;
    let page = ask(plane, get(ACME, "/welcome?code=tnt_sc_x")).await;
    assert_eq!(page.header("location"), "/sign-in?return_to=%2Fwelcome");
}

#[tokio::test]
async fn signing_out_empties_what_the_browser_kept() {
    let plane = answering("200 OK", "", "{}").await;
    let page = ask(plane, post(plane, ACME, "/sign-out", "").await).await;
    assert_eq!(page.header("location"), "/sign-in?after=sign-out");
    assert_eq!(page.header("clear-site-data"), "\"cache\"");
}

#[tokio::test]
async fn an_error_at_a_tenant_is_shown_under_its_name_with_a_way_back() {
    let plane = answering("200 OK", "", r#"{"slug":"acme","name":"Acme Corporation"}"#).await;
    let page = ask(plane, get(ACME, "/nowhere")).await;
    assert_eq!(page.status, 404);
    assert!(page.text.contains("Page not found") && page.text.contains("Acme Corporation"));
    assert!(page.text.contains("<a class=\"brand\" href=\"/\">"));
    // Where the plane does not answer, the name is not known.
    let page = ask(nobody().await, get(ACME, "/nowhere")).await;
    assert!(page.text.contains("<span class=\"name\">Workspace</span>"));
}

#[tokio::test]
async fn where_there_is_no_tenant_the_name_leads_to_the_platform() {
    let unknown = r#"{"type":"/problems/tenant-not-found"}"#;
    let page = ask(
        answering("404 Not Found", "", unknown).await,
        get(ACME, "/"),
    )
    .await;
    assert!(page.text.contains("Workspace not found"));
    assert!(
        page.text
            .contains("<a class=\"brand\" href=\"http://localhost:8000/\">")
    );
}

#[tokio::test]
async fn a_url_is_asked_about_as_it_will_be_sent() {
    let (plane, asked) = recording("201 Created", "{}").await;
    ask(plane, get("localhost:8000", "/signup/slug?slug=%20ACME")).await;
    let fields = "tenant_name=Acme&tenant_slug=ACME+&admin_password=x";
    ask(
        plane,
        post(plane, "localhost:8000", "/signup", fields).await,
    )
    .await;
    let asked = asked.lock().unwrap().join("\n");
    assert!(asked.contains("/tenants/register?slug=acme "), "{asked}");
    assert!(asked.contains(r#""tenant_slug":"acme""#), "{asked}");
}

#[tokio::test]
async fn readiness_tells_who_is_missing() {
    let page = ask(nobody().await, get("localhost:8000", "/health/ready")).await;
    assert_eq!(page.status, 503);
    assert_eq!(
        page.text,
        r#"{"status":"unavailable","failing":["control-plane","data-plane"]}"#
    );
    assert_eq!(
        ask(nobody().await, get("localhost:8000", "/health/live"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn the_planes_descriptions_are_shown_as_one() {
    let info = r#""openapi":"3.1.0","info":{"title":"one","version":"1"}"#;
    let described = format!(r#"{{{info},"paths":{{"/api/ping":{{}}}}}}"#);
    let plane = answering("200 OK", "", &described).await;
    let page = ask(plane, get("localhost:8080", "/openapi.json")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("/api/ping"), "{}", page.text);
    is_unavailable_at(nobody().await, "/openapi.json").await;
}

#[tokio::test]
async fn the_description_is_put_together_once_for_many() {
    let described = r#"{"openapi":"3.1.0","info":{"title":"one","version":"1"},"paths":{}}"#;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let pages = pages(listener.local_addr().unwrap());
    // Each plane is asked once; after that nobody listens.
    let planes = async {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let length = described.len();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{described}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        drop(listener);
    };
    let asked = || ask_again(&pages, get("localhost:8080", "/openapi.json"));
    let (first, second, ()) = tokio::join!(asked(), asked(), planes);
    for page in [first, second, asked().await] {
        assert_eq!(page.status, 200, "{}", page.text);
        assert_eq!(page.header("content-type"), "application/json");
    }
}
