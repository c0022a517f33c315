//! The isolation matrix over every operation of the description, and what it cannot derive.

use serde_json::json;
use testkit::{
    TestApp,
    app::PASSWORD,
    matrix::{Home, Makers, Matrix},
};

/// What anybody may call; everything else is guarded.
const PUBLIC: &[(&str, &str)] = &[
    ("POST", "/oauth/register"),
    ("POST", "/oauth/login"),
    ("POST", "/oauth/login/code"),
    ("GET", "/api/ping"),
    ("GET", "/api/status"),
    ("GET", "/tenants/info"),
    ("POST", "/tenants/info"),
    ("POST", "/tenants/register"),
    ("GET", "/tenants/register"),
    ("GET", "/tenants/list"),
    ("GET", "/tenants/plans"),
];

/// Fields and query parameters that hold no id.
const TEXT: &[&str] = &[
    "q",
    "search",
    "status",
    "plan",
    "before",
    "title",
    "body",
    "name",
    "username",
    "email",
    "password",
    "role",
    "client_name",
    "grant_types",
    "redirect_uris",
    "scope",
    "slug",
    "token_endpoint_auth_method",
    "token_type_hint",
    "grant_type",
    "domain",
    "mode",
    "minutes",
    "tenant_name",
    "tenant_slug",
    "admin_username",
    "admin_email",
    "admin_password",
    "allowed_origins",
    "days",
    "position",
    "max_users",
    "max_clients",
    "max_notes",
    "requests_per_second",
    "storage_bytes",
    "api_calls_per_month",
];

/// How an id of each kind is made. What is made carries its tenant's slug, so that it is
/// recognised where it should not be.
pub(crate) fn makers() -> Makers {
    Makers::default()
        .text(TEXT)
        .id("/api/notes/{id}", |home| Box::pin(note(home)))
        .id("/api/notes?author", |home| Box::pin(author(home)))
        .cursor("/api/notes?cursor", |home| Box::pin(note(home)))
        .id("/tenants/users/{id}", |home| Box::pin(user(home, "id")))
        .cursor("/tenants/users?cursor", |home| Box::pin(user(home, "id")))
        .id("/oauth/client/{client_id}", |home| Box::pin(client(home)))
        .cursor("/oauth/client/list?cursor", |home| Box::pin(client(home)))
        .secret("/oauth/token#username", |home| {
            Box::pin(user(home, "username"))
        })
        .secret("/oauth/token#refresh_token", |home| {
            Box::pin(token(home, "refresh_token"))
        })
        .secret("/oauth/introspect#token", |home| {
            Box::pin(token(home, "access_token"))
        })
        .secret("/oauth/revoke#token", |home| {
            Box::pin(token(home, "access_token"))
        })
        .secret("/oauth/token#client_id", |home| Box::pin(client(home)))
        .secret("/oauth/token#client_secret", |home| Box::pin(client(home)))
        .secret("/oauth/introspect#client_id", |home| Box::pin(client(home)))
        .secret("/oauth/introspect#client_secret", |home| {
            Box::pin(client(home))
        })
        .secret("/oauth/revoke#client_id", |home| Box::pin(client(home)))
        .secret("/oauth/revoke#client_secret", |home| Box::pin(client(home)))
        .id("/control/v1/tenants/{slug}", |home| Box::pin(tenant(home)))
        .cursor("/control/v1/tenants?cursor", |home| Box::pin(tenant(home)))
        .id("/control/v1/tokens/{id}", |home| {
            Box::pin(operator_token(home))
        })
        .text_at("/control/v1/tokens?cursor")
        .secret("/control/v1/plans/{name}", |home| Box::pin(plan(home)))
        .secret("/control/v1/domains/{hostname}", |home| {
            Box::pin(domain(home))
        })
        .id("/control/v1/tenants/{slug}/users/{user}", |home| {
            Box::pin(user(home, "username"))
        })
        .id("/control/v1/tenants/{slug}/domains/{hostname}", |home| {
            Box::pin(domain(home))
        })
        .id("/control/v1/tenants/{slug}/inspections/{login}", |home| {
            Box::pin(login(home))
        })
}

pub(crate) async fn note(home: Home<'_>) -> String {
    let owner = home.tenant().owner_token("read write").await;
    let title = format!("{} {}", home.slug, home.unique("note-"));
    let made = owner.post("/api/notes", json!({"title": title})).await;
    made.expect(201).json()["id"].to_string()
}

async fn author(home: Home<'_>) -> String {
    note(home).await;
    let owner = home.owner().await.get("/tenants/info").await.expect(200);
    owner.json()["member"]["id"].as_str().unwrap().to_owned()
}

pub(crate) async fn user(home: Home<'_>, field: &str) -> String {
    let name = home.unique("user-");
    let body = json!({
        "username": name, "email": format!("{name}@{}.example", home.slug), "password": PASSWORD,
    });
    let made = home
        .owner()
        .await
        .post("/tenants/users", body)
        .await
        .expect(201);
    made.json()[field].as_str().unwrap().to_owned()
}

async fn client(home: Home<'_>) -> String {
    let body = json!({
        "client_name": format!("of {}", home.slug), "grant_types": ["client_credentials"],
        "scope": "read",
    });
    let made = home
        .owner()
        .await
        .post("/oauth/client/register", body)
        .await;
    made.expect(201).json()["client_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// A token of the client that the matrix acts as.
async fn token(home: Home<'_>, field: &str) -> String {
    let (id, secret) = home.tenant().client().await;
    let fields = [
        ("grant_type", "password"),
        ("username", "owner"),
        ("password", PASSWORD),
        ("client_id", &id),
        ("client_secret", &secret),
    ];
    let anonymous = home.tenant().anonymous().await;
    let made = anonymous.form("/oauth/token", &fields).await.expect(200);
    made.json()[field].as_str().unwrap().to_owned()
}

async fn tenant(home: Home<'_>) -> String {
    let slug = home.unique("made-");
    home.app.tenant(&slug).on_plan("enterprise").await;
    slug
}

async fn domain(home: Home<'_>) -> String {
    let hostname = format!("{}.example", home.unique("www-"));
    let path = format!("/control/v1/tenants/{}/domains", home.slug);
    let operator = home.app.operator().await;
    operator
        .post(&path, json!({"domain": hostname}))
        .await
        .expect(201);
    hostname
}

async fn operator_token(home: Home<'_>) -> String {
    let operator = home.app.operator().await;
    let body = json!({"name": "made for the matrix"});
    let made = operator.post("/control/v1/tokens", body).await.expect(201);
    made.json()["id"].as_str().unwrap().to_owned()
}

async fn plan(home: Home<'_>) -> String {
    let name = home.unique("plan-");
    let body = json!({
        "title": "Made", "position": 100, "self_serve": false, "max_users": 1, "max_clients": 1,
        "max_notes": 1, "requests_per_second": 1, "storage_bytes": 1, "api_calls_per_month": 1,
    });
    let operator = home.app.operator().await;
    operator
        .put(&format!("/control/v1/plans/{name}"), body)
        .await
        .expect(200);
    name
}

async fn login(home: Home<'_>) -> String {
    let path = format!("/control/v1/tenants/{}/inspections", home.slug);
    let opened = home
        .app
        .operator()
        .await
        .post(&path, json!({}))
        .await
        .expect(201);
    opened.json()["login"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_operation_is_known_to_the_matrix() {
    let app = TestApp::start().await;
    let faults = Matrix::of(&app, PUBLIC, makers()).faults_of_description();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[tokio::test]
async fn tenants_are_apart_in_the_api_and_for_clients() {
    let app = TestApp::start().await;
    let matrix = Matrix::of(&app, PUBLIC, makers());
    let faults = matrix
        .faults(|one| one.of_tenant && !one.path.starts_with("/tenants"))
        .await;
    assert!(faults.is_empty(), "{faults:#?}");
}

#[tokio::test]
async fn tenants_are_apart_in_their_administration() {
    let app = TestApp::start().await;
    let matrix = Matrix::of(&app, PUBLIC, makers());
    let faults = matrix
        .faults(|one| one.of_tenant && one.path.starts_with("/tenants"))
        .await;
    assert!(faults.is_empty(), "{faults:#?}");
}

#[tokio::test]
async fn tenants_are_apart_for_operators() {
    let app = TestApp::start().await;
    let matrix = Matrix::of(&app, PUBLIC, makers());
    let faults = matrix.faults(|one| !one.of_tenant).await;
    assert!(faults.is_empty(), "{faults:#?}");
}

/// What is public shows the tenant that is named, whoever asks; no other tenant's session counts.
#[tokio::test]
async fn public_routes_show_the_named_tenant_alone() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let token = app.tenant("acme").owner_token("read profile").await.token();
    let anonymous = app.tenant("globex").anonymous().await;
    let globex = anonymous.clone().with("cookie", &owner.cookie());
    let info = globex.get("/tenants/info").await.expect(200).json();
    assert_eq!(info["slug"], "globex");
    assert!(info.get("member").is_none() && info.get("plan").is_none());
    anonymous
        .with_token(&token)
        .get("/tenants/info")
        .await
        .expect(401);
    let pong = globex.get("/api/ping").await.expect(200).json();
    assert_eq!(pong["tenant"], "globex");
    let body = json!({"username": "owner@acme.example", "password": PASSWORD});
    globex.post("/oauth/login", body).await.expect(401);
}

/// A revocation that is asked for at another tenant revokes nothing: its answer is the same for
/// all tokens, so that only the token tells.
#[tokio::test]
async fn a_token_outlives_its_revocation_at_another_tenant() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").owner_token("read").await;
    let (id, secret) = app.tenant("globex").client().await;
    let globex = app
        .tenant("globex")
        .anonymous()
        .await
        .with_basic(&id, &secret);
    for field in ["access_token", "refresh_token"] {
        let home = Home {
            app: &app,
            slug: "acme",
        };
        let token = token(home, field).await;
        globex
            .form("/oauth/revoke", &[("token", &token)])
            .await
            .expect(200);
        let (own, secret) = app.tenant("acme").client().await;
        let client = app
            .tenant("acme")
            .anonymous()
            .await
            .with_basic(&own, &secret);
        let known = client.form("/oauth/introspect", &[("token", &token)]).await;
        assert_eq!(known.expect(200).json()["active"], true, "{field}");
    }
    acme.get("/api/protected").await.expect(200);
}
