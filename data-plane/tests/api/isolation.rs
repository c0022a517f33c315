//! The isolation matrix: every credential and every id of one tenant, at another, on every route
//! there is. A route that is not in the table fails the test.

use http::Method;
use serde_json::json;
use testkit::{Client, TestApp};
use utoipa::openapi::path::{Operation, PathItem};

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Guard {
    /// Anyone: it must show the named tenant alone, whoever asks.
    Anyone,
    /// A bearer token.
    Token,
    /// A session, or a token with scope `admin`.
    Member,
    /// An OAuth client with its secret.
    ClientSecret,
    /// An operator.
    Operator,
}

use Guard::{Anyone, ClientSecret, Member, Operator, Token};

const MATRIX: &[(&str, &str, Guard)] = &[
    ("POST", "/oauth/register", Anyone),
    ("POST", "/oauth/login", Anyone),
    ("POST", "/oauth/login/code", Anyone),
    ("POST", "/oauth/logout", Member),
    ("POST", "/oauth/token", ClientSecret),
    ("POST", "/oauth/revoke", ClientSecret),
    ("POST", "/oauth/introspect", ClientSecret),
    ("GET", "/oauth/userinfo", Token),
    ("POST", "/oauth/userinfo", Token),
    ("POST", "/oauth/client/register", Member),
    ("GET", "/oauth/client/list", Member),
    ("DELETE", "/oauth/client/{client_id}", Member),
    ("GET", "/api/ping", Anyone),
    ("GET", "/api/status", Anyone),
    ("GET", "/api/protected", Token),
    ("GET", "/api/admin", Token),
    ("GET", "/api/users/me", Token),
    ("GET", "/api/notes", Token),
    ("POST", "/api/notes", Token),
    ("GET", "/api/notes/{id}", Token),
    ("PATCH", "/api/notes/{id}", Token),
    ("DELETE", "/api/notes/{id}", Token),
    ("GET", "/tenants/info", Anyone),
    ("POST", "/tenants/info", Anyone),
    ("GET", "/tenants/users", Member),
    ("POST", "/tenants/users", Member),
    ("GET", "/tenants/users/{id}", Member),
    ("PATCH", "/tenants/users/{id}", Member),
    ("DELETE", "/tenants/users/{id}", Member),
    ("PUT", "/tenants/users/{id}/role", Member),
    ("GET", "/tenants/stats", Member),
    ("GET", "/tenants/settings", Member),
    ("PUT", "/tenants/settings", Member),
    ("PATCH", "/tenants/settings", Member),
    ("POST", "/tenants/register", Anyone),
    ("GET", "/tenants/register", Anyone),
    ("GET", "/tenants/list", Anyone),
    ("GET", "/tenants/plans", Anyone),
    ("GET", "/control/v1/tenants", Operator),
    ("POST", "/control/v1/tenants", Operator),
    ("GET", "/control/v1/tenants/{slug}", Operator),
    ("PATCH", "/control/v1/tenants/{slug}", Operator),
    ("DELETE", "/control/v1/tenants/{slug}", Operator),
    ("POST", "/control/v1/tenants/{slug}/users", Operator),
    (
        "PUT",
        "/control/v1/tenants/{slug}/users/{user}/password",
        Operator,
    ),
    ("POST", "/control/v1/tenants/{slug}/suspend", Operator),
    ("POST", "/control/v1/tenants/{slug}/resume", Operator),
    ("POST", "/control/v1/tenants/{slug}/restore", Operator),
    ("POST", "/control/v1/tenants/{slug}/purge", Operator),
    ("PUT", "/control/v1/tenants/{slug}/plan", Operator),
    ("GET", "/control/v1/tenants/{slug}/events", Operator),
    ("GET", "/control/v1/tenants/{slug}/domains", Operator),
    ("POST", "/control/v1/tenants/{slug}/domains", Operator),
    (
        "POST",
        "/control/v1/tenants/{slug}/domains/{hostname}/verify",
        Operator,
    ),
    (
        "DELETE",
        "/control/v1/tenants/{slug}/domains/{hostname}",
        Operator,
    ),
    ("GET", "/control/v1/domains/{hostname}", Operator),
    ("GET", "/control/v1/tenants/{slug}/inspections", Operator),
    ("POST", "/control/v1/tenants/{slug}/inspections", Operator),
    (
        "DELETE",
        "/control/v1/tenants/{slug}/inspections/{login}",
        Operator,
    ),
    ("GET", "/control/v1/plans", Operator),
    ("PUT", "/control/v1/plans/{name}", Operator),
    ("DELETE", "/control/v1/plans/{name}", Operator),
    ("GET", "/control/v1/tokens", Operator),
    ("POST", "/control/v1/tokens", Operator),
    ("DELETE", "/control/v1/tokens/{id}", Operator),
    ("GET", "/control/v1/events", Operator),
    ("GET", "/control/v1/migrations", Operator),
    ("POST", "/control/v1/migrations/run", Operator),
];

fn operations(item: &PathItem) -> Vec<&'static str> {
    let methods: [(&str, &Option<Operation>); 8] = [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
        ("HEAD", &item.head),
        ("OPTIONS", &item.options),
        ("TRACE", &item.trace),
    ];
    methods
        .into_iter()
        .filter(|(_, found)| found.is_some())
        .map(|(method, _)| method)
        .collect()
}

#[tokio::test]
async fn every_route_is_in_the_matrix() {
    let app = TestApp::start().await;
    let mut routes = Vec::new();
    for (path, item) in &app.api.paths.paths {
        routes.extend(
            operations(item)
                .into_iter()
                .map(|method| (method, path.as_str())),
        );
    }
    let listed = |(method, path): &(&str, &str)| {
        MATRIX
            .iter()
            .any(|(own, at, _)| own == method && at == path)
    };
    let missing: Vec<_> = routes.iter().filter(|route| !listed(route)).collect();
    assert!(missing.is_empty(), "not in the matrix: {missing:?}");
    assert_eq!(
        routes.len(),
        MATRIX.len(),
        "the matrix names routes that are gone"
    );
}

/// Everything of acme's that somebody might carry to globex.
struct Loot {
    user: String,
    note: String,
    client: String,
    secret: String,
    refresh: String,
}

async fn loot(app: &TestApp) -> Loot {
    let acme = app.tenant("acme");
    let owner = acme.owner_token("openid profile read write admin").await;
    let note = owner
        .post("/api/notes", json!({"title": "acme's own"}))
        .await
        .expect(201);
    let info = acme
        .owner()
        .await
        .get("/tenants/info")
        .await
        .expect(200)
        .json();
    let (client, secret) = acme.client().await;
    let fields = [
        ("grant_type", "password"),
        ("username", "owner"),
        ("password", testkit::app::PASSWORD),
        ("client_id", client.as_str()),
        ("client_secret", secret.as_str()),
    ];
    let tokens = acme
        .anonymous()
        .await
        .form("/oauth/token", &fields)
        .await
        .expect(200)
        .json();
    Loot {
        user: info["member"]["id"].as_str().unwrap().to_owned(),
        note: note.json()["id"].to_string(),
        client,
        secret,
        refresh: tokens["refresh_token"].as_str().unwrap().to_owned(),
    }
}

impl Loot {
    fn path(&self, path: &str) -> String {
        let id = if path.starts_with("/api/notes") {
            &self.note
        } else {
            &self.user
        };
        path.replace("{id}", id)
            .replace("{client_id}", &self.client)
            .replace("{slug}", "acme")
            .replace("{hostname}", "acme.example")
            .replace("{user}", "owner")
    }
}

/// Sends a request whose body is of no matter: who asks is looked at first.
async fn call(client: &Client, method: &str, path: &str) -> u16 {
    let method: Method = method.parse().unwrap();
    client.json(method, path, &json!({})).await.status.as_u16()
}

#[tokio::test]
async fn no_credential_of_one_tenant_opens_anything_at_another() {
    let app = TestApp::start().await;
    let loot = loot(&app).await;
    let globex = app.tenant("globex").anonymous().await;
    let owner = app.tenant("acme").owner().await;
    let token = app.tenant("acme").owner_token(testkit::app::SCOPES).await;
    let machine = app.tenant("acme").machine("read write profile").await;

    let carried = [
        ("session", globex.clone().with("cookie", &owner.cookie())),
        ("token", globex.clone().with_token(&token.token())),
        (
            "machine's token",
            globex.clone().with_token(&machine.token()),
        ),
        ("refresh token", globex.clone().with_token(&loot.refresh)),
        ("client secret", globex.clone().with_token(&loot.secret)),
        (
            "session as a token",
            globex
                .clone()
                .with_token(owner.cookie().split_once('=').unwrap().1),
        ),
        (
            "token as a session",
            globex.with("cookie", &format!("tenantry_session={}", token.token())),
        ),
    ];
    for (method, path, guard) in MATRIX {
        if matches!(guard, Anyone | ClientSecret) {
            continue;
        }
        for (what, client) in &carried {
            let status = call(client, method, &loot.path(path)).await;
            assert_eq!(status, 401, "acme's {what} at globex: {method} {path}");
        }
    }
}

#[tokio::test]
async fn the_same_credentials_open_those_routes_at_home() {
    let app = TestApp::start().await;
    let loot = loot(&app).await;
    let (owner, token) = (
        app.tenant("acme").owner().await,
        app.tenant("acme").owner_token(testkit::app::SCOPES).await,
    );
    // Whatever takes its caller's own credentials away comes last, the session at the very end.
    let ends = |path: &str| match path {
        "/oauth/logout" => 2,
        "/oauth/client/{client_id}" => 1,
        _ => 0,
    };
    let mut routes = MATRIX.to_vec();
    routes.sort_by_key(|(_, path, _)| ends(path));
    for (method, path, guard) in routes {
        let client = match guard {
            Token => &token,
            Member => &owner,
            _ => continue,
        };
        let status = call(client, method, &loot.path(path)).await;
        assert!(
            ![401, 403, 405].contains(&status),
            "{status}: {method} {path}"
        );
    }
}

#[tokio::test]
async fn no_id_of_one_tenant_is_known_at_another() {
    let app = TestApp::start().await;
    let loot = loot(&app).await;
    let owner = app.tenant("globex").owner().await;
    let token = app.tenant("globex").owner_token(testkit::app::SCOPES).await;
    for (method, path, guard) in MATRIX.iter().filter(|(_, path, _)| path.contains('{')) {
        let client = match guard {
            Token => &token,
            Member => &owner,
            _ => continue,
        };
        let method: Method = method.parse().unwrap();
        let body = json!({"role": "admin"});
        let answer = client.json(method.clone(), &loot.path(path), &body).await;
        assert_eq!(answer.status, 404, "acme's id at globex: {method} {path}");
    }
    let still = app.tenant("acme").owner_token("read").await;
    still
        .get(&format!("/api/notes/{}", loot.note))
        .await
        .expect(200);
}

#[tokio::test]
async fn client_credentials_and_tokens_are_unknown_to_another_tenants_oauth_server() {
    let app = TestApp::start().await;
    let loot = loot(&app).await;
    let globex = app.tenant("globex").anonymous().await;
    let credentials = [
        ("client_id", loot.client.as_str()),
        ("client_secret", &loot.secret),
    ];
    for (path, fields) in [
        ("/oauth/token", &[("grant_type", "client_credentials")][..]),
        (
            "/oauth/token",
            &[
                ("grant_type", "refresh_token"),
                ("refresh_token", &loot.refresh),
            ],
        ),
        ("/oauth/revoke", &[("token", &loot.refresh)]),
        ("/oauth/introspect", &[("token", &loot.refresh)]),
    ] {
        let answer = globex.form(path, &[fields, &credentials].concat()).await;
        assert_eq!(answer.expect(401).problem(), "invalid_client", "{path}");
    }

    // With a client of its own, globex still knows nothing of acme's tokens.
    let (id, secret) = app.tenant("globex").client().await;
    let own = [("client_id", id.as_str()), ("client_secret", &secret)];
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &loot.refresh),
    ];
    let answer = globex
        .form("/oauth/token", &[&fields[..], &own].concat())
        .await;
    assert_eq!(answer.expect(400).problem(), "invalid_grant");
    let token = app.tenant("acme").owner_token("read").await.token();
    for secret in [token.as_str(), &loot.refresh] {
        let answer = globex
            .form(
                "/oauth/introspect",
                &[&[("token", secret)][..], &own].concat(),
            )
            .await;
        assert_eq!(answer.expect(200).json(), json!({"active": false}));
        globex
            .form("/oauth/revoke", &[&[("token", secret)][..], &own].concat())
            .await
            .expect(200);
    }
    let acme = app.tenant("acme").anonymous().await.with_token(&token);
    acme.get("/api/protected").await.expect(200);
}

#[tokio::test]
async fn public_routes_show_the_named_tenant_alone() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let globex = app
        .tenant("globex")
        .anonymous()
        .await
        .with("cookie", &owner.cookie());
    let info = globex.get("/tenants/info").await.expect(200).json();
    assert_eq!(info["slug"], "globex");
    assert!(info.get("member").is_none() && info.get("plan").is_none());
    assert_eq!(
        globex.get("/api/ping").await.expect(200).json()["tenant"],
        "globex"
    );
    let body = json!({"username": "owner@acme.example", "password": testkit::app::PASSWORD});
    assert_eq!(
        globex
            .post("/oauth/login", body)
            .await
            .expect(401)
            .problem(),
        "unauthorized"
    );
}

#[tokio::test]
async fn an_operators_token_is_no_members_and_the_reverse() {
    let app = TestApp::start().await;
    let operator = app.operator().await.with("x-tenant-slug", "acme");
    app.tenant("acme").anonymous().await;
    for (method, path, guard) in MATRIX
        .iter()
        .filter(|(.., guard)| matches!(guard, Token | Member))
    {
        let path = path.replace("{id}", "1").replace("{client_id}", "x");
        assert_eq!(
            call(&operator, method, &path).await,
            401,
            "{method} {path} {guard:?}"
        );
    }
    operator.get("/control/v1/tenants/acme").await.expect(200);
}
