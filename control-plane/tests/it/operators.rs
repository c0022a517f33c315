use axum::body::Body;
use control_plane::{Actor, Lifetime, NewToken};
use http::{Request, header};
use secrecy::ExposeSecret;
use time::Duration;

use crate::support::{Answer, TestApp};

/// Every call that needs an operator.
const CALLS: &[(&str, &str)] = &[
    ("GET", "/tenants"),
    ("POST", "/tenants"),
    ("GET", "/tenants/acme"),
    ("PATCH", "/tenants/acme"),
    ("DELETE", "/tenants/acme"),
    ("POST", "/tenants/acme/suspend"),
    ("POST", "/tenants/acme/resume"),
    ("POST", "/tenants/acme/restore"),
    ("POST", "/tenants/acme/purge"),
    ("PUT", "/tenants/acme/plan"),
    ("GET", "/tenants/acme/events"),
    ("GET", "/tenants/acme/domains"),
    ("POST", "/tenants/acme/domains"),
    ("POST", "/tenants/acme/domains/acme.example/verify"),
    ("DELETE", "/tenants/acme/domains/acme.example"),
    ("GET", "/domains/acme.example"),
    ("GET", "/tenants/acme/inspections"),
    ("POST", "/tenants/acme/inspections"),
    ("DELETE", "/tenants/acme/inspections/inspect_1_1"),
    ("POST", "/tenants/acme/users"),
    ("PUT", "/tenants/acme/users/ada/password"),
    ("GET", "/plans"),
    ("PUT", "/plans/free"),
    ("DELETE", "/plans/free"),
    ("GET", "/tokens"),
    ("POST", "/tokens"),
    ("DELETE", "/tokens/00000000-0000-0000-0000-000000000000"),
    ("GET", "/events"),
    ("GET", "/migrations"),
    ("POST", "/migrations/run"),
];

async fn call(app: &TestApp, (method, path): (&str, &str), authorization: &[&str]) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/control/v1{path}"))
        .header(header::CONTENT_TYPE, "application/json");
    for value in authorization {
        request = request.header(header::AUTHORIZATION, *value);
    }
    app.send(request.body(Body::from("{}")).unwrap()).await
}

#[tokio::test]
async fn nobody_operates_without_a_token() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let twice = [app.operator(), app.operator()];
    let (bare, invalid) = ("", ", error=\"invalid_token\"");
    let malformed = ", error=\"invalid_request\"";
    for (authorization, status, error) in [
        (&[][..], 401, bare),
        (&["Basic dGVzdHM6"], 401, bare),
        (&["Bearer tnt_op_wrong"], 401, invalid),
        (&["Bearer "], 400, malformed),
        (&twice, 400, malformed),
    ] {
        for pair in CALLS {
            let answer = call(&app, *pair, authorization).await;
            assert_eq!(answer.status, status, "{pair:?} {authorization:?}");
            let challenge = answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap();
            assert_eq!(challenge, format!("Bearer realm=\"platform\"{error}"));
        }
    }
}

#[tokio::test]
async fn the_list_above_is_the_whole_api() {
    let app = TestApp::start().await;
    let (_, api) = app.plane.router().split_for_parts();
    let described = serde_json::to_value(&api).unwrap();
    let mut found = Vec::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            if let Some(path) = path.strip_prefix("/control/v1") {
                let path = path
                    .replace("{slug}", "acme")
                    .replace("{user}", "ada")
                    .replace("{login}", "inspect_1_1")
                    .replace("{name}", "free")
                    .replace("{id}", "00000000-0000-0000-0000-000000000000")
                    .replace("{hostname}", "acme.example");
                found.push((method.to_uppercase(), path));
            }
        }
    }
    let mut listed: Vec<_> = CALLS
        .iter()
        .map(|(method, path)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    found.sort();
    listed.sort();
    assert_eq!(found, listed);
}

#[tokio::test]
async fn a_token_ends_when_it_should() {
    let app = TestApp::start().await;
    let token = NewToken {
        name: "short".to_owned(),
        lifetime: Lifetime::Days(1),
    };
    let made = app.plane.create_token(token, &Actor::CommandLine).await;
    let (token, _) = made.unwrap();
    let bearer = format!("Bearer {}", token.expose_secret());
    assert!(token.expose_secret().starts_with("tnt_op_"));
    assert_eq!(call(&app, CALLS[0], &[&bearer]).await.status, 200);
    app.clock.advance(Duration::hours(25));
    assert_eq!(
        call(&app, CALLS[0], &[&bearer]).await.problem(),
        "unauthorized"
    );
}

#[tokio::test]
async fn a_token_needs_the_platforms_scope() {
    let app = TestApp::start().await;
    let token = NewToken {
        name: "reader".to_owned(),
        lifetime: Lifetime::Never,
    };
    let made = app.plane.create_token(token, &Actor::CommandLine).await;
    let (token, _) = made.unwrap();
    let sql = "UPDATE platform.operator_tokens SET scopes = '{other}' WHERE name = 'reader'";
    app.admin().await.execute(sql, &[]).await.unwrap();
    let bearer = format!("Bearer {}", token.expose_secret());
    let answer = call(&app, CALLS[0], &[&bearer]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.problem()),
        (403, "insufficient-scope".to_owned())
    );
    let challenge = answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap();
    assert!(challenge.contains("insufficient_scope"));
}

#[tokio::test]
async fn only_a_digest_of_a_token_is_kept() {
    let app = TestApp::start().await;
    let dump = "SELECT count(*) FROM platform.operator_tokens WHERE length(digest) = 32";
    assert_eq!(app.count(dump).await, 1);
}

#[tokio::test]
async fn a_token_that_is_wrong_is_not_overlooked_where_none_is_needed() {
    let app = TestApp::start().await;
    let request = Request::get("/tenants/list").header(header::AUTHORIZATION, "Bearer x");
    assert_eq!(
        app.send(request.body(Body::empty()).unwrap())
            .await
            .problem(),
        "unauthorized"
    );
}
