//! Requests that claim to be what they are not: one table, each row sent byte by byte.

use e2e::{
    System,
    gateway::{Behind, Gateway},
    raw::{Raw, send},
};
use reqwest::Client;
use serde_json::{Value, json};

use super::{Fixture, PASSWORD, application};

/// Headers that only the gateway may set, as a client sends them.
const CLAIMED: &[&str] = &[
    "X-Forwarded-For: 203.0.113.9",
    "X-Forwarded-For: 203.0.113.9, 127.0.0.1",
    "X-Forwarded-Host: evil.example",
    "X-Forwarded-Proto: gopher",
    "X-Forwarded-Port: 4711",
    "X-Forwarded-Prefix: /evil",
    "X-Forwarded-Server: evil.example",
    "X-Forwarded-Scheme: gopher",
    "X-Forwarded-Ssl: evil",
    "Forwarded: for=203.0.113.9;host=evil.example",
    "X-Real-IP: 203.0.113.9",
    "X-Client-IP: 203.0.113.9",
    "True-Client-IP: 203.0.113.9",
    "CF-Connecting-IP: 203.0.113.9",
    "X-Host: evil.example",
    "X-Original-Host: evil.example",
    "X-Original-URL: /evil",
    "X-Rewrite-URL: /evil",
    "X-HTTP-Method-Override: EVIL",
    "X-Accel-Redirect: /evil",
    "X-Accel-Limit-Rate: 4711",
    "X-Accel-Mapping: /=/evil",
    "Proxy: evil.example",
    "Via: 1.1 evil.example",
    // What is written differently is not the same header, and goes no further either.
    "X_Forwarded_For: 203.0.113.9",
    "X_Forwarded_Host: evil.example",
    "X_Tenant_Slug: evil",
    "X-Forwarded.For: 203.0.113.9",
    "x-fOrWaRdEd-fOr: 203.0.113.9",
];

#[tokio::test]
async fn what_only_the_gateway_may_say_is_overwritten() {
    let fixture = Fixture::start(&[]).await;
    for claim in CLAIMED {
        for twice in [false, true] {
            let claims = if twice {
                format!("{claim}\r\n{claim}")
            } else {
                (*claim).to_owned()
            };
            // With an id of its own: one that nginx draws may hold 4711 by chance.
            let request = format!(
                "GET /x HTTP/1.1\r\nHost: acme.localhost\r\nX-Request-Id: ours\r\n{claims}\r\n\
                 Connection: close\r\n\r\n"
            );
            assert_eq!(
                send(fixture.gateway.api, request.as_bytes()).await.status(),
                200
            );
            let seen = fixture.recorder.last();
            for word in ["evil", "EVIL", "203.0.113.9", "gopher", "4711"] {
                assert!(!seen.head().contains(word), "{claim}: {}", seen.head());
            }
            assert_eq!(seen.all("X-Forwarded-For"), ["127.0.0.1"], "{claim}");
            assert_eq!(seen.all("X-Forwarded-Proto"), ["http"], "{claim}");
            assert_eq!(seen.all("X-Forwarded-Host"), ["acme.localhost"], "{claim}");
            assert_eq!(seen.all("Host"), ["acme.localhost"], "{claim}");
        }
    }
}

/// Hosts as a client may write them; whether the request passes. What passes is seen as sent.
const HOSTS: &[(&str, bool)] = &[
    ("Host: acme.localhost", true),
    ("Host: acme.localhost:8080", true),
    ("Host: ACME.LocalHost", true),
    ("Host: acme.localhost.", true),
    ("Host: [::1]:8080", true),
    ("Host:\tacme.localhost", false),
    ("Host: acme.localhost\t", false),
    ("Host: acme.localhost:", false),
    ("Host: acme.localhost:8080:80", false),
    ("Host: acme.localhost:8o80", false),
    ("Host: acme.localhost:123456", false),
    ("Host: ada@acme.localhost", false),
    ("Host: acme.localhost/evil", false),
    ("Host: acme.localhost#evil", false),
    ("Host: acme.localhost,evil.example", false),
    ("Host: acme.localhost evil.example", false),
    ("Host: http://acme.localhost", false),
    ("Host: acmé.localhost", false),
    ("Host: acme..localhost", false),
    ("Host: *", false),
    ("Host:", false),
    ("X-None: 1", false),
    ("Host : acme.localhost", false),
    ("Host: acme.localhost\r\nHost: globex.localhost", false),
    ("Host: acme.localhost\r\nHost: acme.localhost", false),
    ("Host: acme.localhost\r\n Host: globex.localhost", false),
    ("Host: acme.localhost\r\nHost : globex.localhost", false),
];

#[tokio::test]
async fn a_host_is_one_plain_name_or_the_request_is_refused() {
    let fixture = Fixture::start(&[]).await;
    for port in [fixture.gateway.api, fixture.gateway.pages] {
        for (host, passes) in HOSTS {
            let before = fixture.recorder.seen().len();
            let request = format!("GET /x HTTP/1.1\r\n{host}\r\nConnection: close\r\n\r\n");
            let answer = send(port, request.as_bytes()).await;
            let seen = fixture.recorder.seen();
            if *passes {
                assert_eq!(answer.status(), 200, "{host}");
                assert_eq!(seen.last().unwrap().all("Host"), [&host[6..]], "{host}");
            } else {
                assert_eq!(answer.status(), 400, "{host}: {answer:?}");
                assert_eq!(seen.len(), before, "{host}");
            }
        }
    }
}

/// Targets that name a host, with `Host: acme.localhost`; whether the request passes.
const TARGETS: &[(&str, bool)] = &[
    ("http://acme.localhost/x", true),
    ("http://ACME.localhost/x?y=http://evil.example/", true),
    ("http://globex.localhost/x", false),
    ("http://acme.localhost:81/x", false),
    ("http://acme.localhost.evil.example/x", false),
    ("http://ada@acme.localhost/x", false),
    ("http://acme.localhost@globex.localhost/x", false),
    (" http://globex.localhost/x", false),
    ("HTTP://GLOBEX.localhost/x", false),
    ("gopher://globex.localhost/x", false),
    ("http:/globex.localhost/x", false),
    ("http:globex.localhost/x", false),
];

#[tokio::test]
async fn a_target_with_a_host_names_the_same_one() {
    let fixture = Fixture::start(&[]).await;
    for (target, passes) in TARGETS {
        let before = fixture.recorder.seen().len();
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: acme.localhost\r\nConnection: close\r\n\r\n");
        let answer = send(fixture.gateway.api, request.as_bytes()).await;
        let seen = fixture.recorder.seen();
        if *passes {
            assert_eq!(answer.status(), 200, "{target}");
            assert!(seen.last().unwrap().target().starts_with("/x"), "{target}");
        } else {
            assert_eq!(answer.status(), 400, "{target}");
            assert_eq!(seen.len(), before, "{target}");
        }
    }
}

#[tokio::test]
async fn only_a_trusted_proxy_is_believed() {
    let settings = [("GATEWAY_TRUSTS", "127.0.3.0/24 127.0.4.1")];
    let fixture = Fixture::start(&settings).await;
    for (from, said, address, scheme) in [
        ([127, 0, 3, 9], "203.0.113.9", "203.0.113.9", "https"),
        (
            [127, 0, 3, 9],
            "6.6.6.6, 203.0.113.9, 127.0.4.1",
            "203.0.113.9",
            "https",
        ),
        ([127, 0, 3, 9], "nonsense", "127.0.3.9", "https"),
        ([127, 0, 5, 1], "203.0.113.9", "127.0.5.1", "http"),
    ] {
        let request = super::client_at(from).get(fixture.url("/"));
        let request = request
            .header("X-Forwarded-For", said)
            .header("X-Forwarded-Proto", "https");
        assert_eq!(request.send().await.unwrap().status(), 200);
        let seen = fixture.recorder.last();
        assert_eq!(seen.all("X-Forwarded-For"), [address], "{from:?} {said}");
        assert_eq!(seen.all("X-Forwarded-Proto"), [scheme], "{from:?} {said}");
    }
}

/// A token of ada's in a tenant.
async fn token(system: &System, slug: &str) -> String {
    let login = json!({"username": "ada", "password": PASSWORD});
    let login = system.post(&format!("/tenants/{slug}/oauth/login"), &login);
    let cookie = login.send().await.unwrap().headers()["set-cookie"].clone();
    let cookie = cookie
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let client = json!({"client_name": "test", "grant_types": ["client_credentials"],
        "scope": "read", "token_endpoint_auth_method": "client_secret_post"});
    let client = system.post(&format!("/tenants/{slug}/oauth/client/register"), &client);
    let client: Value = client
        .header("Cookie", cookie)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let url = format!("http://127.0.0.1:{}/tenants/{slug}/oauth/token", system.api);
    let grant = Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(url)
        .form(&[
            ("grant_type", "client_credentials"),
            ("scope", "read"),
            ("client_id", client["client_id"].as_str().unwrap()),
            ("client_secret", client["client_secret"].as_str().unwrap()),
        ]);
    let grant: Value = grant.send().await.unwrap().json().await.unwrap();
    grant["access_token"].as_str().unwrap().to_owned()
}

/// With acme's token and `Host: acme.localhost` unless the row has a host: headers, path, and what
/// must come of it.
const AS_ANOTHER: &[(&str, &str, u16)] = &[
    ("Host: acme.localhost", "/api/notes", 200),
    ("Host: globex.localhost", "/api/notes", 401),
    (
        "Host: localhost\r\nX-Tenant-Slug: globex",
        "/api/notes",
        401,
    ),
    (
        "Host: acme.localhost\r\nX-Tenant-Slug: globex",
        "/api/notes",
        400,
    ),
    (
        "Host: acme.localhost\r\nX-Tenant-ID: GLOBEX",
        "/api/notes",
        400,
    ),
    (
        "Host: acme.localhost\r\nX-Tenant-Slug: acme\r\nX-Tenant-Slug: globex",
        "/api/notes",
        400,
    ),
    ("Host: acme.localhost", "/tenants/globex/api/notes", 400),
    ("Host: localhost", "/tenants/globex/api/notes", 401),
    (
        "Host: acme.localhost\r\nHost: globex.localhost",
        "/api/notes",
        400,
    ),
    (
        "Host: acme.localhost",
        "http://globex.localhost/api/notes",
        400,
    ),
    // Not heard at all: the tenant stays the host's.
    (
        "Host: acme.localhost\r\nX_Tenant_Slug: globex",
        "/api/notes",
        200,
    ),
    (
        "Host: acme.localhost\r\nX-Forwarded-Host: globex.localhost",
        "/api/notes",
        200,
    ),
    (
        "Host: acme.localhost\r\nForwarded: host=globex.localhost",
        "/api/notes",
        200,
    ),
    (
        "Host: acme.localhost\r\nX-Original-URL: /tenants/globex/api/notes",
        "/api/notes",
        200,
    ),
    (
        "Host: acme.localhost\r\nX-Rewrite-URL: /tenants/globex/api/notes",
        "/api/notes",
        200,
    ),
    (
        "Host: globex.localhost\r\nX-Forwarded-Host: acme.localhost",
        "/api/notes",
        401,
    ),
    (
        "Host: globex.localhost\r\nX_Tenant_Slug: acme",
        "/api/notes",
        401,
    ),
    (
        "Host: localhost\r\nX-Forwarded-Host: acme.localhost",
        "/api/notes",
        400,
    ),
    ("Host: GLOBEX.localhost.", "/api/notes", 401),
];

#[tokio::test]
async fn nothing_forged_makes_one_tenants_token_anothers() {
    let system = System::start().await;
    let behind = Behind(system.api, system.api, system.pages);
    let gateway = Gateway::start(system.directory(), behind).await;
    let mut globex = String::new();
    for slug in ["acme", "globex"] {
        let signed_up = system.post("/tenants/register", &application(slug));
        let signed_up: Value = signed_up.send().await.unwrap().json().await.unwrap();
        signed_up["tenant"]["id"]
            .as_str()
            .unwrap()
            .clone_into(&mut globex);
    }
    let token = token(&system, "acme").await;
    for (headers, target, expected) in AS_ANOTHER {
        let headers = headers.replace("GLOBEX\r", "globex\r");
        let headers = headers.replace("X-Tenant-ID: GLOBEX", &format!("X-Tenant-ID: {globex}"));
        let request = format!(
            "GET {target} HTTP/1.1\r\n{headers}\r\nAuthorization: Bearer {token}\r\n\
             Connection: close\r\n\r\n"
        );
        let answer: Raw = send(gateway.api, request.as_bytes()).await;
        assert_eq!(answer.status(), *expected, "{headers} {target}: {answer:?}");
    }
}
