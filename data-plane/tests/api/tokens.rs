//! Token, revoke, introspect, userinfo.

use serde_json::{Value, json};
use testkit::{Answer, Client, TestApp, app::PASSWORD};
use time::Duration;

/// acme's OAuth endpoints, with the credentials of its client for tests.
struct OAuth {
    acme: Client,
    id: String,
    secret: String,
}

impl OAuth {
    async fn of(app: &TestApp) -> Self {
        let (id, secret) = app.tenant("acme").client().await;
        Self {
            acme: app.tenant("acme").anonymous().await,
            id,
            secret,
        }
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let own = [
            ("client_id", self.id.as_str()),
            ("client_secret", &self.secret),
        ];
        self.acme.form(path, &[fields, &own].concat()).await
    }

    async fn password(&self, scope: &str) -> Value {
        let fields = [
            ("grant_type", "password"),
            ("username", "owner"),
            ("password", PASSWORD),
            ("scope", scope),
        ];
        self.post("/oauth/token", &fields).await.expect(200).json()
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.post(
            "/oauth/token",
            &[("grant_type", "refresh_token"), ("refresh_token", token)],
        )
        .await
    }

    async fn opens(&self, token: &str) -> u16 {
        self.acme
            .clone()
            .with_token(token)
            .get("/api/protected")
            .await
            .status
            .as_u16()
    }
}

fn text<'a>(body: &'a Value, field: &str) -> &'a str {
    body[field].as_str().unwrap()
}

#[tokio::test]
async fn a_token_is_answered_as_the_rfc_has_it() {
    let app = TestApp::start().await;
    let oauth = OAuth::of(&app).await;
    let fields = [("grant_type", "client_credentials"), ("scope", "read")];
    let answer = oauth.post("/oauth/token", &fields).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.json();
    assert_eq!(text(&body, "token_type"), "Bearer");
    assert_eq!(body["expires_in"], 3600);
    assert_eq!(text(&body, "scope"), "read");
    assert!(body.get("refresh_token").is_none());
    assert_eq!(oauth.opens(text(&body, "access_token")).await, 200);
}

#[tokio::test]
async fn a_client_may_authenticate_by_basic_too_but_not_twice() {
    let app = TestApp::start().await;
    let oauth = OAuth::of(&app).await;
    let pair = base64(&format!("{}:{}", oauth.id, oauth.secret));
    let basic = oauth
        .acme
        .clone()
        .with("authorization", &format!("Basic {pair}"));
    let grant = [("grant_type", "client_credentials")];
    basic.form("/oauth/token", &grant).await.expect(200);
    let twice = [grant[0], ("client_secret", oauth.secret.as_str())];
    assert_eq!(
        basic
            .form("/oauth/token", &twice)
            .await
            .expect(400)
            .problem(),
        "invalid_request"
    );

    for wrong in [
        format!("{}:wrong", oauth.id),
        "nobody:x".to_owned(),
        String::new(),
    ] {
        let client = oauth
            .acme
            .clone()
            .with("authorization", &format!("Basic {}", base64(&wrong)));
        let answer = client.form("/oauth/token", &grant).await.expect(401);
        assert_eq!(answer.problem(), "invalid_client");
        assert!(answer.header("www-authenticate").starts_with("Basic"));
    }
}

fn base64(text: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}

#[tokio::test]
async fn requests_that_make_no_sense_are_told_so() {
    let app = TestApp::start().await;
    let oauth = OAuth::of(&app).await;
    for (fields, code) in [
        (&[][..], "invalid_request"),
        (&[("grant_type", "")], "invalid_request"),
        (&[("grant_type", "implicit")], "unsupported_grant_type"),
        (&[("grant_type", "password")], "invalid_request"),
        (&[("grant_type", "refresh_token")], "invalid_request"),
        (
            &[("grant_type", "refresh_token"), ("refresh_token", "x")],
            "invalid_grant",
        ),
        (
            &[
                ("grant_type", "client_credentials"),
                ("scope", "everything"),
            ],
            "invalid_scope",
        ),
        (
            &[("grant_type", "client_credentials"), ("scope", "read\0")],
            "invalid_request",
        ),
        (
            &[
                ("grant_type", "password"),
                ("username", "owner"),
                ("password", "wrong password"),
            ],
            "invalid_grant",
        ),
        (
            &[
                ("grant_type", "password"),
                ("username", "own\0er"),
                ("password", PASSWORD),
            ],
            "invalid_request",
        ),
        (
            &[
                ("grant_type", "client_credentials"),
                ("grant_type", "password"),
            ],
            "invalid_request",
        ),
    ] {
        let answer = oauth.post("/oauth/token", fields).await.expect(400);
        assert_eq!(answer.problem(), code, "{fields:?}");
    }
}

#[tokio::test]
async fn a_grant_needs_the_clients_registration_and_the_tenants_leave() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let oauth = OAuth::of(&app).await;
    let body =
        json!({"client_name": "narrow", "grant_types": ["client_credentials"], "scope": "read"});
    let narrow = owner
        .post("/oauth/client/register", body)
        .await
        .expect(201)
        .json();
    let fields = [
        ("grant_type", "password"),
        ("username", "owner"),
        ("password", PASSWORD),
        ("client_id", text(&narrow, "client_id")),
        ("client_secret", text(&narrow, "client_secret")),
    ];
    let answer = oauth.acme.form("/oauth/token", &fields).await.expect(400);
    assert_eq!(answer.problem(), "unauthorized_client");

    owner
        .put(
            "/tenants/settings",
            json!({"forbidden_grants": ["password"]}),
        )
        .await
        .expect(200);
    let fields = [
        ("grant_type", "password"),
        ("username", "owner"),
        ("password", PASSWORD),
    ];
    let answer = oauth.post("/oauth/token", &fields).await.expect(400);
    assert_eq!(answer.problem(), "unauthorized_client");
}

#[tokio::test]
async fn admin_is_granted_to_those_who_administer_alone() {
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "read admin").await;
    ada.get("/api/notes").await.expect(200);
    assert_eq!(
        ada.get("/api/admin").await.expect(403).problem(),
        "insufficient-scope"
    );
    let machine = app.tenant("acme").machine("read admin").await;
    machine.get("/api/admin").await.expect(403);
    app.tenant("acme")
        .owner_token("admin")
        .await
        .get("/api/admin")
        .await
        .expect(200);
}

#[tokio::test]
async fn a_token_ends_with_its_time() {
    let app = TestApp::start().await;
    let oauth = OAuth::of(&app).await;
    let tokens = oauth.password("read").await;
    assert_eq!(oauth.opens(text(&tokens, "access_token")).await, 200);
    app.clock.advance(Duration::minutes(61));
    assert_eq!(oauth.opens(text(&tokens, "access_token")).await, 401);
    let tokens = oauth
        .refresh(text(&tokens, "refresh_token"))
        .await
        .expect(200)
        .json();
    assert_eq!(oauth.opens(text(&tokens, "access_token")).await, 200);
    app.clock.advance(Duration::days(31));
    let answer = oauth
        .refresh(text(&tokens, "refresh_token"))
        .await
        .expect(400);
    assert_eq!(answer.problem(), "invalid_grant");
}

#[tokio::test]
async fn a_refresh_token_works_once_and_a_second_use_revokes_the_family() {
    let app = TestApp::start().await;
    let oauth = OAuth::of(&app).await;
    let first = oauth.password("read write").await;
    let second = oauth
        .refresh(text(&first, "refresh_token"))
        .await
        .expect(200)
        .json();
    assert_eq!(oauth.opens(text(&second, "access_token")).await, 200);

    assert_eq!(
        oauth
            .refresh(text(&first, "refresh_token"))
            .await
            .expect(400)
            .problem(),
        "invalid_grant"
    );
    for body in [&first, &second] {
        assert_eq!(oauth.opens(text(body, "access_token")).await, 401);
    }
    oauth
        .refresh(text(&second, "refresh_token"))
        .await
        .expect(400);
}

#[tokio::test]
async fn of_two_refreshes_at_once_one_wins_at_most() {
    let app = TestApp::start().await;
    let oauth = OAuth::of(&app).await;
    let tokens = oauth.password("read").await;
    let token = text(&tokens, "refresh_token");
    let (a, b) = tokio::join!(oauth.refresh(token), oauth.refresh(token));
    let won = [&a, &b]
        .iter()
        .filter(|answer| answer.status == 200)
        .count();
    assert!(won <= 1, "{} {}", a.status, b.status);
}

#[tokio::test]
async fn a_refreshed_token_has_no_more_scope_than_was_granted() {
    let app = TestApp::start().await;
    let oauth = OAuth::of(&app).await;
    let tokens = oauth.password("read write").await;
    let refresh = ("refresh_token", text(&tokens, "refresh_token"));
    let grant = ("grant_type", "refresh_token");
    let wider = oauth
        .post("/oauth/token", &[grant, refresh, ("scope", "read admin")])
        .await;
    assert_eq!(wider.expect(400).problem(), "invalid_scope");
    let narrower = oauth
        .post("/oauth/token", &[grant, refresh, ("scope", "read")])
        .await;
    let narrower = narrower.expect(200).json();
    assert_eq!(text(&narrower, "scope"), "read");
    let again = oauth
        .refresh(text(&narrower, "refresh_token"))
        .await
        .expect(200)
        .json();
    assert_eq!(text(&again, "scope"), "read write");
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once() {
    let app = TestApp::start().await;
    let oauth = OAuth::of(&app).await;
    let tokens = oauth.password("read").await;
    assert_eq!(oauth.opens(text(&tokens, "access_token")).await, 200);
    oauth
        .post("/oauth/revoke", &[("token", text(&tokens, "access_token"))])
        .await
        .expect(200);
    assert_eq!(oauth.opens(text(&tokens, "access_token")).await, 401);

    let renewed = oauth
        .refresh(text(&tokens, "refresh_token"))
        .await
        .expect(200)
        .json();
    assert_eq!(oauth.opens(text(&renewed, "access_token")).await, 200);
    oauth
        .post(
            "/oauth/revoke",
            &[("token", text(&renewed, "refresh_token"))],
        )
        .await
        .expect(200);
    assert_eq!(oauth.opens(text(&renewed, "access_token")).await, 401);
    oauth
        .refresh(text(&renewed, "refresh_token"))
        .await
        .expect(400);

    oauth
        .post("/oauth/revoke", &[("token", "unknown")])
        .await
        .expect(200);
    assert_eq!(
        oauth.post("/oauth/revoke", &[]).await.expect(400).problem(),
        "invalid_request"
    );
}

#[tokio::test]
async fn another_node_refuses_a_revoked_token_within_a_second() {
    let app = TestApp::start().await;
    let other = app.another_node();
    let oauth = OAuth::of(&app).await;
    let tokens = oauth.password("read").await;
    let there = other
        .with("x-tenant-slug", "acme")
        .with_token(text(&tokens, "access_token"));
    there.get("/api/protected").await.expect(200);
    oauth
        .post("/oauth/revoke", &[("token", text(&tokens, "access_token"))])
        .await
        .expect(200);
    there.eventually("/api/protected", 401).await;
}

#[tokio::test]
async fn a_client_cannot_revoke_anothers_token() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let oauth = OAuth::of(&app).await;
    let tokens = oauth.password("read").await;
    let body = json!({"client_name": "other", "grant_types": ["client_credentials"]});
    let other = owner
        .post("/oauth/client/register", body)
        .await
        .expect(201)
        .json();
    for token in [
        text(&tokens, "access_token"),
        text(&tokens, "refresh_token"),
    ] {
        let fields = [
            ("token", token),
            ("client_id", text(&other, "client_id")),
            ("client_secret", text(&other, "client_secret")),
        ];
        oauth.acme.form("/oauth/revoke", &fields).await.expect(200);
    }
    assert_eq!(oauth.opens(text(&tokens, "access_token")).await, 200);
    oauth
        .refresh(text(&tokens, "refresh_token"))
        .await
        .expect(200);
}

#[tokio::test]
async fn introspection_tells_what_a_token_stands_for() {
    let app = TestApp::start().await;
    let oauth = OAuth::of(&app).await;
    let tokens = oauth.password("read profile").await;
    let of = async |token: &str| {
        oauth
            .post("/oauth/introspect", &[("token", token)])
            .await
            .expect(200)
            .json()
    };
    let known = of(text(&tokens, "access_token")).await;
    assert_eq!(known["active"], true);
    assert_eq!(known["username"], "owner");
    assert_eq!(known["scope"], "profile read");
    let without = oauth.password("read").await;
    let username = &of(text(&without, "access_token")).await["username"];
    assert!(username.is_null(), "it needs scope profile");
    assert_eq!(
        known["exp"].as_i64().unwrap() - known["iat"].as_i64().unwrap(),
        3600
    );
    assert_eq!(of(text(&tokens, "refresh_token")).await["active"], true);
    assert_eq!(of("unknown").await, json!({"active": false}));
}

#[tokio::test]
async fn userinfo_answers_claims_by_scope() {
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "openid").await;
    let claims = ada.get("/oauth/userinfo").await.expect(200).json();
    assert_eq!(claims.as_object().unwrap().len(), 1);
    let ada = app.tenant("acme").user("ada", "openid profile email").await;
    let claims = ada
        .post("/oauth/userinfo", json!({}))
        .await
        .expect(200)
        .json();
    assert_eq!(claims["preferred_username"], "ada");
    assert_eq!(claims["email"], "ada@acme.example");
    let without = app.tenant("acme").user("ada", "profile").await;
    without.get("/oauth/userinfo").await.expect(403);
}
