//! Errors under the protocol's paths, by whichever layer: the members of RFC 6749 and of a problem.

use http::Method;
use serde_json::{Value, json};
use testkit::{Answer, Client, TestApp, app::PASSWORD};

const FORM: &str = "application/x-www-form-urlencoded";

async fn suspended(app: &TestApp) -> Client {
    let client = app.tenant("globex").anonymous().await;
    let slug = "globex".parse().unwrap();
    app.control.suspend(&slug, "tests").await.unwrap();
    client.eventually("/api/ping", 403).await;
    client
}

#[track_caller]
fn has_both(answer: &Answer, error: &str) {
    let (body, text) = (answer.json(), answer.text());
    assert_eq!(body["error"], error, "{text}");
    assert_eq!(answer.header("content-type"), "application/json", "{text}");
    assert!(
        !body["error_description"].as_str().unwrap().is_empty(),
        "{text}"
    );
    assert!(
        body["type"].as_str().unwrap().starts_with("/problems/"),
        "{text}"
    );
    assert_eq!(body["status"], answer.status.as_u16(), "{text}");
    assert_eq!(body["request_id"], answer.header("x-request-id"), "{text}");
    assert!(body["title"].is_string(), "{text}");
    assert_eq!(answer.header("cache-control"), "no-store", "{text}");
}

#[tokio::test]
async fn every_refusal_has_the_members_of_both() {
    let app = TestApp::start().await;
    let (acme, nobody) = (app.tenant("acme").anonymous().await, app.anonymous());
    let globex = suspended(&app).await;
    let long = vec![b'x'; 1_100_000];
    let (invalid, denied) = ("invalid_request", "access_denied");
    for (who, method, path, media, body, status, error) in [
        (
            &acme,
            Method::GET,
            "/oauth/nothing",
            "",
            vec![],
            404,
            invalid,
        ),
        (
            &acme,
            Method::GET,
            "/.well-known/nothing",
            "",
            vec![],
            404,
            invalid,
        ),
        (&acme, Method::GET, "/oauth/token", "", vec![], 405, invalid),
        (
            &acme,
            Method::POST,
            "/oauth/login",
            "text/xml",
            vec![],
            415,
            invalid,
        ),
        (
            &acme,
            Method::POST,
            "/oauth/token",
            "text/xml",
            vec![],
            400,
            invalid,
        ),
        (
            &acme,
            Method::POST,
            "/oauth/token",
            FORM,
            long.clone(),
            413,
            invalid,
        ),
        (
            &acme,
            Method::POST,
            "/oauth/login",
            "application/json",
            b"{".to_vec(),
            400,
            invalid,
        ),
        (
            &acme,
            Method::POST,
            "/oauth/login",
            "application/json",
            b"{}".to_vec(),
            422,
            invalid,
        ),
        (
            &acme,
            Method::POST,
            "/oauth/logout",
            "",
            vec![],
            401,
            denied,
        ),
        (
            &acme,
            Method::GET,
            "/oauth/userinfo",
            "",
            vec![],
            401,
            denied,
        ),
        (
            &acme,
            Method::POST,
            "/oauth/client/register",
            "",
            vec![],
            401,
            denied,
        ),
        (
            &acme,
            Method::POST,
            "/oauth/token",
            FORM,
            b"grant_type=x".to_vec(),
            400,
            "unsupported_grant_type",
        ),
        (
            &nobody,
            Method::POST,
            "/oauth/token",
            FORM,
            vec![],
            400,
            invalid,
        ),
        (
            &nobody,
            Method::GET,
            "/tenants/nobody/oauth/userinfo",
            "",
            vec![],
            404,
            invalid,
        ),
        (
            &nobody,
            Method::GET,
            "/tenants/acme/oauth/nothing",
            "",
            vec![],
            404,
            invalid,
        ),
        (
            &nobody,
            Method::GET,
            "/tenants//oauth/token",
            "",
            vec![],
            404,
            invalid,
        ),
        (
            &globex,
            Method::POST,
            "/oauth/token",
            FORM,
            vec![],
            403,
            denied,
        ),
    ] {
        let media = Some(media).filter(|media| !media.is_empty());
        let answer = who.send(method, path, media, body).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text());
        has_both(&answer, error);
    }
}

#[tokio::test]
async fn what_passes_is_temporarily_unavailable() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    let guess = json!({"username": "owner", "password": "not the password"});
    let mut answer = acme.post("/oauth/login", guess.clone()).await.expect(401);
    has_both(&answer, "access_denied");
    while answer.status == 401 {
        answer = acme.post("/oauth/login", guess.clone()).await;
    }
    assert!(answer.headers.contains_key("retry-after"));
    has_both(&answer.expect(429), "temporarily_unavailable");
}

#[tokio::test]
async fn a_code_of_the_protocol_has_a_problem_of_its_own() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    let refused = acme
        .form("/oauth/token", &[("grant_type", "password")])
        .await
        .expect(401);
    has_both(&refused, "invalid_client");
    assert_eq!(refused.json()["type"], "/problems/invalid-client");
    assert!(refused.header("www-authenticate").starts_with("Basic "));
    let token = acme.with("authorization", "Bearer nonsense");
    has_both(
        &token.get("/oauth/userinfo").await.expect(401),
        "invalid_token",
    );
}

#[tokio::test]
async fn registration_refuses_wrong_types_in_the_words_of_rfc_7591() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let register = async |member: &str, value: Value| {
        let mut metadata = json!({"client_name": "x", "grant_types": ["client_credentials"]});
        metadata[member] = value;
        let answer = owner
            .post("/oauth/client/register", metadata)
            .await
            .expect(400);
        assert!(answer.json()["error_description"].is_string());
        answer.json()["error"].as_str().unwrap().to_owned()
    };
    for member in [
        "client_name",
        "scope",
        "grant_types",
        "token_endpoint_auth_method",
    ] {
        assert_eq!(
            register(member, json!({"a": 1})).await,
            "invalid_client_metadata",
            "{member}"
        );
    }
    for uris in [
        json!("https://a.example"),
        json!(7),
        json!([7]),
        json!(["/relative"]),
    ] {
        assert_eq!(
            register("redirect_uris", uris).await,
            "invalid_redirect_uri"
        );
    }
    assert_eq!(
        register("allowed_origins", json!("*")).await,
        "invalid_client_metadata"
    );
}

/// Members of answers that hold a secret.
const SECRETS: [&str; 6] = [
    "client_secret",
    "access_token",
    "refresh_token",
    "password",
    "secret",
    "token",
];

/// The operations that answer one, by the description.
fn with_secrets(api: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (path, methods) in api["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let answers = operation["responses"].as_object().into_iter().flatten();
            let good = answers.filter(|(status, _)| status.starts_with('2'));
            let holds = |(_, answer): (&String, &Value)| {
                let schema = answer.pointer("/content/application~1json/schema/$ref");
                let name = schema.and_then(|name| name.as_str()?.rsplit('/').next());
                let schema = name.map(|name| api["components"]["schemas"][name].to_string());
                let schema = schema.unwrap_or_default();
                SECRETS
                    .iter()
                    .any(|secret| schema.contains(&format!("\"{secret}\":")))
            };
            if good.into_iter().any(holds) {
                found.push(format!("{method} {path}"));
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn no_answer_that_holds_a_secret_is_stored() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let (owner, operator) = (acme.owner().await, app.operator().await);
    let (id, secret) = acme.client().await;
    let sign_in = json!({"username": "owner", "password": PASSWORD});
    let grant = [
        ("grant_type", "client_credentials"),
        ("client_id", id.as_str()),
        ("client_secret", secret.as_str()),
    ];
    let client = json!({"client_name": "x", "grant_types": ["client_credentials"]});
    let inspections = "/control/v1/tenants/acme/inspections";
    let mut called = Vec::new();
    for (operation, answer) in [
        (
            "post /oauth/client/register",
            owner.post("/oauth/client/register", client).await,
        ),
        (
            "post /oauth/token",
            owner
                .clone()
                .without("cookie")
                .form("/oauth/token", &grant)
                .await,
        ),
        (
            "post /control/v1/tenants/{slug}/inspections",
            operator.post(inspections, json!({})).await,
        ),
        (
            "post /control/v1/tokens",
            operator
                .post("/control/v1/tokens", json!({"name": "another"}))
                .await,
        ),
        (
            "",
            acme.anonymous().await.post("/oauth/login", sign_in).await,
        ),
        ("", owner.get("/tenants/info").await),
        (
            "",
            app.anonymous()
                .post("/tenants/register", testkit::app::sign_up("globex", "free"))
                .await,
        ),
    ] {
        assert!(answer.status.is_success(), "{operation}: {}", answer.text());
        assert_eq!(answer.header("cache-control"), "no-store", "{operation}");
        called.extend(Some(operation.to_owned()).filter(|operation| !operation.is_empty()));
    }
    called.sort();
    let described = with_secrets(&serde_json::to_value(&app.api).unwrap());
    assert_eq!(described, called, "call here whatever answers a secret");
}
