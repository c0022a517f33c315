//! Parameters of OAuth requests without a value count as omitted (RFC 6749 section 3.2).

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use testkit::{Answer, Client, TestApp, app::PASSWORD};

fn basic(client: &Client, id: &str, secret: &str) -> Client {
    let pair = STANDARD.encode(format!("{id}:{secret}"));
    let client = client.clone();
    client.with("authorization", &format!("Basic {pair}"))
}

/// The same request as a form and as JSON, with the same outcome.
async fn both(client: &Client, path: &str, fields: &[(&str, &str)]) -> Answer {
    let form = client.form(path, fields).await;
    let members: Map<String, Value> = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let body = client.post(path, Value::Object(members)).await;
    assert_eq!(form.status, body.status, "{path} {fields:?}");
    form
}

#[tokio::test]
async fn an_empty_parameter_is_no_parameter() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let (id, secret) = acme.client().await;
    let anyone = acme.anonymous().await;
    let proven = basic(&anyone, &id, &secret);
    let (token, machine) = ("/oauth/token", ("grant_type", "client_credentials"));
    let password = [("grant_type", "password"), ("username", "owner")];
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", "")];
    let named = [("client_id", id.as_str()), ("client_secret", "")];
    let secret_alone = [("client_id", ""), ("client_secret", secret.as_str())];
    for (client, path, fields, status, error) in [
        (
            &proven,
            token,
            vec![machine, ("client_secret", "")],
            200,
            "",
        ),
        (&proven, token, vec![machine, ("client_id", "")], 200, ""),
        (&proven, token, vec![machine, ("scope", "")], 200, ""),
        (&proven, token, vec![machine, ("resource", "")], 200, ""),
        (
            &proven,
            token,
            vec![("grant_type", "")],
            400,
            "invalid_request",
        ),
        (
            &proven,
            token,
            [&password[..], &[("password", "")]].concat(),
            400,
            "invalid_request",
        ),
        (
            &proven,
            token,
            vec![password[0], ("username", ""), ("password", PASSWORD)],
            400,
            "invalid_request",
        ),
        (&proven, token, refresh.to_vec(), 400, "invalid_request"),
        (
            &anyone,
            token,
            [&[machine], &named[..]].concat(),
            401,
            "invalid_client",
        ),
        (
            &anyone,
            token,
            [&[machine], &secret_alone[..]].concat(),
            401,
            "invalid_client",
        ),
        (
            &basic(&anyone, &id, ""),
            token,
            vec![machine],
            401,
            "invalid_client",
        ),
        (
            &proven,
            "/oauth/revoke",
            vec![("token", "")],
            400,
            "invalid_request",
        ),
        (
            &proven,
            "/oauth/revoke",
            vec![("token", "x"), ("token_type_hint", "")],
            200,
            "",
        ),
        (
            &proven,
            "/oauth/revoke",
            vec![("token", "x"), ("client_secret", "")],
            200,
            "",
        ),
        (
            &proven,
            "/oauth/introspect",
            vec![("token", "")],
            400,
            "invalid_request",
        ),
        (
            &proven,
            "/oauth/introspect",
            vec![("token", "x"), ("client_id", "")],
            200,
            "",
        ),
    ] {
        let answer = both(client, path, &fields).await;
        assert_eq!(
            answer.status,
            status,
            "{path} {fields:?}: {}",
            answer.text()
        );
        if !error.is_empty() {
            assert_eq!(answer.json()["error"], error, "{path} {fields:?}");
        }
    }
}

#[tokio::test]
async fn a_public_client_may_name_itself_by_basic() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let public = json!({
        "client_name": "app", "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": ["https://app.example/cb"],
    });
    let made = acme
        .owner()
        .await
        .post("/oauth/client/register", public)
        .await;
    let id = made.expect(201).json()["client_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let client = basic(&acme.anonymous().await, &id, "");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    let answer = both(&client, "/oauth/token", &fields).await;
    assert_eq!(answer.expect(400).json()["error"], "invalid_grant");
}
