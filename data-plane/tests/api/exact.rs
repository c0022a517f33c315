//! What is sent is read exactly or refused; what comes back to us is compared as characters.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Method;
use serde_json::json;
use testkit::{Client, TestApp, app::PASSWORD};

const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

async fn raw(client: &Client, path: &str, kind: Option<&str>, body: &[u8]) -> u16 {
    let answer = client.send(Method::POST, path, kind, body.to_vec()).await;
    answer.status.as_u16()
}

#[tokio::test]
async fn an_array_stands_for_no_object() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    let answer = acme.post("/oauth/login", json!(["owner", PASSWORD])).await;
    assert_eq!(answer.expect(422).problem(), "validation-failed");
    let owner = app.tenant("acme").owner().await;
    let nested = json!({"branding": ["#ff0000"]});
    owner.put("/tenants/settings", nested).await.expect(422);
}

#[tokio::test]
async fn nul_is_refused_wherever_a_text_stands() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let (owner, anyone) = (acme.owner().await, acme.anonymous().await);
    let client = json!({"client_name": "a", "redirect_uris": ["https://a.example/", "\u{0}"]});
    let refused = owner.post("/oauth/client/register", client).await;
    assert!(
        [400, 422].contains(&refused.status.as_u16()),
        "{}",
        refused.text()
    );
    let settings = json!({"branding": {"logo_url": "https://a.example/\u{0}"}});
    let answer = owner.put("/tenants/settings", settings).await.expect(422);
    assert!(answer.json()["errors"]["branding.logo_url"].is_array());
    for path in ["/tenants/users?search=%00", "/api/notes?q=a%00"] {
        let answer = owner.get(path).await;
        assert!([401, 422].contains(&answer.status.as_u16()), "{path}");
    }
    for path in [
        "/api/notes/%00",
        "/oauth/client/%00",
        "/tenants/users/a%00b",
    ] {
        assert_eq!(
            owner.delete(path).await.expect(400).problem(),
            "malformed-request"
        );
    }
    assert_eq!(
        raw(&anyone, "/oauth/login", FORM, b"username=%00&password=x").await,
        422
    );
    assert_eq!(
        raw(&anyone, "/oauth/token", FORM, b"grant_type=%00").await,
        400
    );
}

#[tokio::test]
async fn what_cannot_be_decoded_exactly_is_refused() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let (anyone, ada) = (acme.anonymous().await, acme.user("ada", "read").await);
    for body in [
        &b"username=%zz&password=x"[..],
        b"username=\xff&password=x",
        b"username=%ff",
    ] {
        assert_eq!(
            raw(&anyone, "/oauth/login", FORM, body).await,
            400,
            "{body:?}"
        );
    }
    for path in [
        "/api/notes?q=%zz",
        "/api/notes?q=%ff",
        "/api/notes/%ff",
        "/api/notes/%zz",
        "/api/nothing%2",
    ] {
        assert_eq!(
            ada.get(path).await.expect(400).problem(),
            "malformed-request",
            "{path}"
        );
    }
}

#[tokio::test]
async fn ids_and_tags_have_one_spelling() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let (ada, owner) = (acme.user("ada", "read write").await, acme.owner().await);
    let note = json!({"title": "a"});
    ada.post("/api/notes", note).await.expect(201);
    for odd in ["01", "+1", "%2B1", "-1", "1.0"] {
        ada.get(&format!("/api/notes/{odd}")).await.expect(404);
    }
    for odd in ["\"+1\"", "\"01\"", "1", "W/\"1\"", "\"x\", \"02\""] {
        let guarded = ada.clone().with("if-match", odd);
        let change = json!({"title": "b"});
        guarded.patch("/api/notes/1", change).await.expect(412);
        ada.clone()
            .with("if-none-match", "\"01\"")
            .get("/api/notes/1")
            .await
            .expect(200);
    }
    let me = owner.get("/tenants/users").await.json()["users"][0]["id"].clone();
    let id = me.as_str().unwrap();
    owner
        .get(&format!("/tenants/users/{}", id.to_uppercase()))
        .await
        .expect(200);
    for odd in [
        id.replace('-', ""),
        format!("%7B{id}%7D"),
        format!("urn:uuid:{id}"),
    ] {
        owner
            .get(&format!("/tenants/users/{odd}"))
            .await
            .expect(404);
    }
}

#[tokio::test]
async fn a_cursor_that_we_would_not_write_is_refused() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let (ada, owner) = (acme.user("ada", "read").await, acme.owner().await);
    let place = |title: &str, at: &str, sort: &str| {
        let json = format!(r#"{{"order":"{sort}","id":1,"title":{title},"updated_at":{at}}}"#);
        format!(
            "/api/notes?sort={sort}&cursor={}",
            URL_SAFE_NO_PAD.encode(json)
        )
    };
    ada.get(&place("\"a\"", "null", "title")).await.expect(200);
    ada.get(&place("null", "0", "updated_at")).await.expect(200);
    for odd in [
        place("\"a\\u0000\"", "null", "title"),
        place("null", "-200000000000000000", "updated_at"),
        place("null", "9223372036854775807", "updated_at"),
        place("null", " 0", "updated_at"),
    ] {
        ada.get(&odd).await.expect(422);
    }
    for odd in [
        r#"[-200000000000000000,"x"]"#,
        r#"[0,"\u0000"]"#,
        "[ 0,\"x\"]",
    ] {
        let cursor = URL_SAFE_NO_PAD.encode(odd);
        owner
            .get(&format!("/oauth/client/list?cursor={cursor}"))
            .await
            .expect(422);
    }
}

#[tokio::test]
async fn one_odd_part_of_a_header_voids_no_other() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let owner = acme.owner().await;
    let mut cookies = b"foreign=\xff\xfe; ".to_vec();
    cookies.extend(owner.cookie().into_bytes());
    let beside = owner.clone().with_bytes("cookie", &cookies);
    beside.get("/tenants/users").await.expect(200);

    let ada = acme.user("ada", "read write").await;
    let note = json!({"title": "a"});
    ada.post("/api/notes", note).await.expect(201);
    let has = ada
        .clone()
        .with_bytes("if-none-match", b"\xff, \"\xfe\", \"1\"");
    has.get("/api/notes/1").await.expect(304);
    let may = ada.clone().with_bytes("if-match", b"\xff, \"1\"");
    may.patch("/api/notes/1", json!({"title": "b"}))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_password_is_the_same_however_it_is_typed() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").anonymous().await;
    let (composed, decomposed) = ("p\u{e4}ssw\u{f6}rter", "pa\u{308}sswo\u{308}rter");
    let new = json!({"username": "ada", "email": "ada@acme.example", "password": decomposed});
    acme.post("/oauth/register", new).await.expect(201);
    for password in [composed, decomposed] {
        let credentials = json!({"username": "ada", "password": password});
        acme.post("/oauth/login", credentials).await.expect(200);
    }
}
