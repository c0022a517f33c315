//! The product's API as the bench uses it to prepare what it measures: sign up, sign in, register
//! a client, get a token, write notes. Anything but success is an error with the answer in it.

use anyhow::{Context, bail};
use reqwest::{Client, RequestBuilder, Response, header};
use serde_json::{Value, json};

/// The plan without limits: none is to be measured.
const PLAN: &str = "enterprise";
pub(crate) const USERNAME: &str = "owner";
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// What the clients may do, and the tokens carry.
const SCOPE: &str = "read write profile";

/// A tenant that is ready to be measured. It holds secrets, so it cannot be printed.
pub(crate) struct Tenant {
    pub(crate) slug: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// An access token of its owner.
    pub(crate) token: String,
}

/// The API at one port on loopback.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    base: String,
}

impl Api {
    pub(crate) fn new(port: u16) -> Self {
        Self {
            client: Client::new(),
            base: format!("http://127.0.0.1:{port}"),
        }
    }

    /// Creates a tenant.
    pub(crate) async fn sign_up(&self, slug: &str) -> anyhow::Result<()> {
        let body = json!({
            "tenant_name": slug,
            "tenant_slug": slug,
            "admin_username": USERNAME,
            "admin_email": format!("{USERNAME}@{slug}.example"),
            "admin_password": PASSWORD,
            "plan": PLAN,
        });
        good(self.post("/tenants/register", None).json(&body))
            .await
            .map(drop)
    }

    /// Makes a tenant ready: a client, a token and this many notes.
    pub(crate) async fn prepare(&self, slug: &str, notes: usize) -> anyhow::Result<Tenant> {
        let cookie = self.sign_in(slug).await?;
        let (client_id, client_secret) = self.register_client(slug, &cookie).await?;
        let token = self.token(slug, &client_id, &client_secret).await?;
        for number in 0..notes {
            let body = json!({"title": format!("note {number}"), "body": "x".repeat(100)});
            good(
                self.post("/api/notes", Some(slug))
                    .bearer_auth(&token)
                    .json(&body),
            )
            .await?;
        }
        Ok(Tenant {
            slug: slug.to_owned(),
            client_id,
            client_secret,
            token,
        })
    }

    async fn sign_in(&self, slug: &str) -> anyhow::Result<String> {
        let body = json!({"username": USERNAME, "password": PASSWORD});
        let answer = good(self.post("/oauth/login", Some(slug)).json(&body)).await?;
        let cookie = answer
            .headers()
            .get(header::SET_COOKIE)
            .context("no session cookie")?;
        Ok(cookie
            .to_str()?
            .split(';')
            .next()
            .unwrap_or_default()
            .to_owned())
    }

    async fn register_client(&self, slug: &str, cookie: &str) -> anyhow::Result<(String, String)> {
        let body = json!({
            "client_name": "bench",
            "grant_types": ["client_credentials", "password"],
            "scope": SCOPE,
            "token_endpoint_auth_method": "client_secret_post",
        });
        let request = self.post("/oauth/client/register", Some(slug));
        let answer = good(request.header(header::COOKIE, cookie).json(&body)).await?;
        let client: Value = answer.json().await?;
        Ok((text(&client, "client_id")?, text(&client, "client_secret")?))
    }

    async fn token(&self, slug: &str, id: &str, secret: &str) -> anyhow::Result<String> {
        let form = [
            ("grant_type", "password"),
            ("username", USERNAME),
            ("password", PASSWORD),
            ("scope", SCOPE),
            ("client_id", id),
            ("client_secret", secret),
        ];
        let answer = good(self.post("/oauth/token", Some(slug)).form(&form)).await?;
        text(&answer.json().await?, "access_token")
    }

    fn post(&self, path: &str, slug: Option<&str>) -> RequestBuilder {
        let request = self.client.post(format!("{}{path}", self.base));
        match slug {
            Some(slug) => request.header("X-Tenant-Slug", slug),
            None => request,
        }
    }
}

async fn good(request: RequestBuilder) -> anyhow::Result<Response> {
    let answer = request.send().await?;
    let (status, path) = (answer.status(), answer.url().path().to_owned());
    if status.is_success() {
        return Ok(answer);
    }
    bail!(
        "{path} answered {status}: {}",
        answer.text().await.unwrap_or_default()
    )
}

fn text(from: &Value, field: &str) -> anyhow::Result<String> {
    from.get(field)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .with_context(|| format!("no {field}"))
}
