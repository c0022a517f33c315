//! Register, login, logout.

use serde_json::json;
use testkit::{TestApp, app::PASSWORD};
use time::Duration;

fn ada() -> serde_json::Value {
    json!({"username": "ada", "email": "ada@acme.example", "password": PASSWORD, "role": "owner"})
}

#[tokio::test]
async fn whoever_registers_is_a_user_whatever_the_body_says() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    let body = acme.post("/oauth/register", ada()).await.expect(201).json();
    assert_eq!(body["role"], "user");
    assert_eq!(body["tenant_slug"], "acme");
    let taken = acme.post("/oauth/register", ada()).await.expect(409);
    assert_eq!(taken.problem(), "conflict");
}

#[tokio::test]
async fn login_answers_the_contracts_fields_and_a_cookie() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    acme.post("/oauth/register", ada()).await.expect(201);
    for name in ["ada", "ADA", "ada@acme.example"] {
        let answer = acme
            .post(
                "/oauth/login",
                json!({"username": name, "password": PASSWORD}),
            )
            .await;
        let answer = answer.expect(200);
        let cookie = answer.header("set-cookie");
        assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
        let body = answer.json();
        let mut fields: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
        fields.sort();
        assert_eq!(
            fields,
            ["message", "role", "tenant_slug", "user_id", "username"]
        );
        assert_eq!(body["username"], "ada");
    }
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_are_answered_alike() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    let mut bodies = Vec::new();
    for (name, password) in [("owner", "wrong password"), ("nobody", PASSWORD), ("", "x")] {
        let answer = acme
            .post(
                "/oauth/login",
                json!({"username": name, "password": password}),
            )
            .await;
        let mut body = answer.expect(401).json();
        body.as_object_mut().unwrap().remove("request_id");
        bodies.push(body);
    }
    assert!(
        bodies.windows(2).all(|pair| pair[0] == pair[1]),
        "{bodies:?}"
    );
}

#[tokio::test]
async fn attempts_on_one_account_are_limited() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    let wrong = json!({"username": "owner", "password": "wrong password"});
    for _ in 0..10 {
        acme.post("/oauth/login", wrong.clone()).await.expect(401);
    }
    let limited = acme.post("/oauth/login", wrong).await.expect(429);
    assert!(!limited.header("retry-after").is_empty());
    assert!(
        limited
            .header("ratelimit-policy")
            .contains("failed-sign-ins")
    );
}

#[tokio::test]
async fn a_session_ends_with_logout_and_with_its_time() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    owner.get("/tenants/stats").await.expect(200);
    let other = app.tenant("acme").owner().await;

    let answer = owner.post("/oauth/logout", json!({})).await.expect(200);
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    owner.get("/tenants/stats").await.expect(401);
    other.get("/tenants/stats").await.expect(200);

    app.clock.advance(Duration::hours(13));
    other.get("/tenants/stats").await.expect(401);
}

#[tokio::test]
async fn registration_follows_the_tenants_setting() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let acme = app.tenant("acme").anonymous().await;
    for setting in ["closed", "invite"] {
        owner
            .put("/tenants/settings", json!({"registration": setting}))
            .await
            .expect(200);
        let refused = acme.post("/oauth/register", ada()).await.expect(403);
        assert_eq!(refused.problem(), "registration-closed");
    }
}

#[tokio::test]
async fn a_change_by_cookie_comes_from_the_tenants_own_pages() {
    let app = TestApp::start().await;
    let owner = app
        .tenant("acme")
        .owner()
        .await
        .with("host", "acme.localhost:8080");
    let new = json!({"username": "bob", "email": "bob@acme.example", "password": PASSWORD});
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "http://globex.localhost:8080"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let forged = owner.clone().with(name, value);
        let answer = forged.post("/tenants/users", new.clone()).await.expect(403);
        assert_eq!(answer.problem(), "cross-site-request", "{name}: {value}");
        forged.get("/tenants/users").await.expect(200);
    }
    let form = owner.form("/tenants/users", &[("username", "bob")]).await;
    assert_eq!(form.expect(415).problem(), "unsupported-media-type");
    let ours = owner.with("origin", "http://acme.localhost:8000");
    ours.post("/tenants/users", new).await.expect(201);
}

#[tokio::test]
async fn nobody_is_signed_in_by_a_foreign_page() {
    let app = TestApp::start().await;
    let acme = app
        .tenant("acme")
        .anonymous()
        .await
        .with("host", "acme.localhost:8080");
    let fields = [("username", "owner"), ("password", PASSWORD)];
    for origin in [
        "https://evil.example",
        "http://globex.localhost:8080",
        "null",
    ] {
        let forged = acme.clone().with("origin", origin);
        let answer = forged.form("/oauth/login", &fields).await.expect(403);
        assert_eq!(answer.problem(), "cross-site-request", "{origin}");
    }
    let ours = acme.with("origin", "http://acme.localhost:8000");
    ours.form("/oauth/login", &fields).await.expect(200);
}

/// The code with which a sign-up of `acme` is answered.
async fn sign_in_code(app: &TestApp) -> String {
    let body = json!({
        "tenant_name": "Acme", "tenant_slug": "acme", "admin_username": "owner",
        "admin_email": "owner@acme.example", "admin_password": PASSWORD, "sign_in_code": true,
    });
    let made = app.anonymous().post("/tenants/register", body).await;
    let made = made.expect(201);
    assert_eq!(made.header("cache-control"), "no-store");
    made.json()["sign_in_code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_code_of_a_sign_up_signs_its_owner_in_once() {
    let app = TestApp::start().await;
    let code = sign_in_code(&app).await;
    let acme = app.tenant("acme").anonymous().await;
    let cookie = format!("tenantry_session={code}");
    acme.clone()
        .with("cookie", &cookie)
        .get("/tenants/users")
        .await
        .expect(401);

    let redeem = || acme.post("/oauth/login/code", json!({"code": code}));
    let (first, second) = tokio::join!(redeem(), redeem());
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    let won = if first.status == 200 { first } else { second };
    assert_eq!(
        (&won.json()["username"], &won.json()["role"]),
        (&"owner".into(), &"owner".into())
    );
    let cookie = won
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    acme.clone()
        .with("cookie", &cookie)
        .get("/tenants/users")
        .await
        .expect(200);
    app.clock.advance(Duration::hours(11));
    acme.with("cookie", &cookie)
        .get("/tenants/users")
        .await
        .expect(200);
}

#[tokio::test]
async fn a_sign_in_code_is_good_for_a_minute_and_at_its_tenant_alone() {
    let app = TestApp::start().await;
    let code = json!({"code": sign_in_code(&app).await});
    let globex = app.tenant("globex").anonymous().await;
    globex
        .post("/oauth/login/code", code.clone())
        .await
        .expect(401);
    app.clock.advance(Duration::seconds(61));
    let acme = app.tenant("acme").anonymous().await;
    acme.post("/oauth/login/code", code).await.expect(401);
    acme.post("/oauth/login/code", json!({})).await.expect(422);
}

#[tokio::test]
async fn one_mailbox_is_one_user_however_its_domain_is_spelt() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    let spellings = [
        "ada@b\u{fc}cher.example",
        "ADA@XN--BCHER-KVA.example",
        "ada@B\u{dc}CHER.Example",
    ];
    let new =
        |name: &str, email: &str| json!({"username": name, "email": email, "password": PASSWORD});
    let made = acme.post("/oauth/register", new("ada", spellings[0])).await;
    assert_eq!(
        made.expect(201).json()["email"],
        "ada@xn--bcher-kva.example"
    );
    for spelling in spellings {
        let again = acme.post("/oauth/register", new("eve", spelling)).await;
        assert_eq!(again.expect(409).json()["errors"]["email"][0], "is taken");
        let credentials = json!({"username": spelling, "password": PASSWORD});
        acme.post("/oauth/login", credentials).await.expect(200);
    }
    for bad in [
        "m <kim@example.com>",
        "ada@[127.0.0.1]",
        "x@y",
        "\"ada\"@a.example",
    ] {
        acme.post("/oauth/register", new("kim", bad))
            .await
            .expect(422);
    }
}
