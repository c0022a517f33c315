//! A page of another origin, in Chromium, calling a tenant through nginx.

use e2e::{
    System,
    browser::Browser,
    gateway::{Behind, Gateway},
    recorder::{Recorder, answer},
};
use serde_json::{Value, json};

use super::{PASSWORD, application};

/// Calls the API as a page's script does. Answers what the script could read, or its failure.
const CALL: &str = "\
    const [url, options, done] = arguments; \
    fetch(url, options).then(async (answer) => done({ \
        status: answer.status, body: await answer.text(), \
        location: answer.headers.get('Location'), etag: answer.headers.get('ETag'), \
        challenge: answer.headers.get('WWW-Authenticate'), \
        id: answer.headers.get('X-Request-Id'), \
    }), (failure) => done({ failure: String(failure) }));";

/// A page with nothing on it, at an origin of its own.
async fn page() -> Recorder {
    let html = |_: &_| answer(200, &[("Content-Type", "text/html")], "<title>app</title>");
    Recorder::answering(0, html).await
}

fn origin(page: &Recorder) -> String {
    format!("http://127.0.0.1:{}", page.port)
}

async fn call(browser: &Browser, url: &str, options: Value) -> Value {
    let arguments = vec![json!(url), options];
    browser.client.execute_async(CALL, arguments).await.unwrap()
}

/// A client of acme whose pages are at an origin: id and secret.
async fn register(system: &System, origin: &str) -> (String, String) {
    let sign_in = json!({ "username": "ada", "password": PASSWORD });
    let sign_in = system
        .post("/oauth/login", &sign_in)
        .header("X-Tenant-Slug", "acme");
    let signed_in = sign_in.send().await.unwrap();
    let cookie = signed_in.headers()["set-cookie"]
        .to_str()
        .unwrap()
        .to_owned();
    let metadata = json!({
        "client_name": "app", "grant_types": ["password"], "scope": "openid read write",
        "allowed_origins": [origin],
    });
    let register = system.post("/oauth/client/register", &metadata);
    let register = register
        .header("X-Tenant-Slug", "acme")
        .header("Cookie", cookie);
    let client: Value = register.send().await.unwrap().json().await.unwrap();
    let text = |member: &str| client[member].as_str().unwrap().to_owned();
    (text("client_id"), text("client_secret"))
}

#[tokio::test]
async fn a_page_of_a_registered_origin_gets_a_token_and_uses_it() {
    let system = System::start().await;
    system
        .post("/tenants/register", &application("acme"))
        .send()
        .await
        .unwrap();
    let behind = Behind(system.api, system.api, system.pages);
    let gateway = Gateway::start(system.directory(), behind).await;
    let (own, other) = (page().await, page().await);
    let (id, secret) = register(&system, &origin(&own)).await;

    let api = format!("http://acme.localhost:{}", gateway.api);
    let by_path = format!("http://localhost:{}/tenants/acme", gateway.api);
    let form = format!(
        "grant_type=password&username=ada&password={}&client_id={id}&client_secret={secret}",
        PASSWORD.replace(' ', "+")
    );
    let token = json!({
        "method": "POST", "body": form,
        "headers": { "Content-Type": "application/x-www-form-urlencoded", "X-Request-Id": "a1" },
    });

    let browser = Browser::start(true, 1280).await;
    browser.open(&origin(&own)).await;
    let issued = call(&browser, &format!("{api}/oauth/token"), token.clone()).await;
    assert_eq!(
        (&issued["status"], &issued["id"]),
        (&json!(200), &json!("a1")),
        "{issued}"
    );
    let body: Value = serde_json::from_str(issued["body"].as_str().unwrap()).unwrap();
    let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
    let with = |method: &str, body: Option<String>| {
        json!({ "method": method, "body": body,
            "headers": { "Authorization": bearer, "Content-Type": "application/json" } })
    };
    let note = with("POST", Some("{\"title\":\"plan\"}".to_owned()));
    let made = call(&browser, &format!("{by_path}/api/notes"), note).await;
    assert_eq!(made["status"], 201, "{made}");
    assert_eq!(made["location"], "/tenants/acme/api/notes/1");
    assert!(made["etag"].is_string());
    let patch = with("PATCH", Some("{\"title\":\"other\"}".to_owned()));
    let patched = call(&browser, &format!("{api}/api/notes/1"), patch).await;
    assert_eq!(patched["status"], 200, "{patched}");

    // Errors, the services' and nginx's own.
    let bare = call(&browser, &format!("{api}/api/protected"), json!({})).await;
    assert_eq!(bare["status"], 401, "{bare}");
    assert!(bare["challenge"].as_str().unwrap().starts_with("Bearer"));
    let long = with("POST", Some("x".repeat(1_100_000)));
    let refused = call(&browser, &format!("{api}/api/notes"), long).await;
    assert_eq!(refused["status"], 413, "{refused}");
    assert!(refused["body"].as_str().unwrap().contains("body-too-large"));
    let found = call(&browser, &format!("{api}/.well-known/nothing"), json!({})).await;
    assert_eq!(found["status"], 404, "{found}");

    // A page that nobody registered reads nothing, and what is not opened is closed to all.
    let login = call(&browser, &format!("{api}/oauth/login"), with("POST", None)).await;
    assert!(login["failure"].is_string(), "{login}");
    browser.open(&origin(&other)).await;
    for url in [
        format!("{api}/oauth/token"),
        format!("{by_path}/oauth/token"),
    ] {
        let refused = call(&browser, &url, token.clone()).await;
        assert!(refused["failure"].is_string(), "{refused}");
    }
}
