//! acme's OAuth endpoints, with the credentials of its client for tests.

use serde_json::Value;
use testkit::{Answer, Client, TestApp, app::PASSWORD};

/// acme's client, and whoever calls for it.
pub(crate) struct OAuth {
    pub(crate) acme: Client,
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl OAuth {
    pub(crate) async fn of(app: &TestApp) -> Self {
        let (id, secret) = app.tenant("acme").client().await;
        Self {
            acme: app.tenant("acme").anonymous().await,
            id,
            secret,
        }
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let own = [
            ("client_id", self.id.as_str()),
            ("client_secret", &self.secret),
        ];
        self.acme.form(path, &[fields, &own].concat()).await
    }

    pub(crate) async fn password(&self, scope: &str) -> Value {
        let fields = [
            ("grant_type", "password"),
            ("username", "owner"),
            ("password", PASSWORD),
            ("scope", scope),
        ];
        self.post("/oauth/token", &fields).await.expect(200).json()
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.post(
            "/oauth/token",
            &[("grant_type", "refresh_token"), ("refresh_token", token)],
        )
        .await
    }

    pub(crate) async fn opens(&self, token: &str) -> u16 {
        self.acme
            .clone()
            .with_token(token)
            .get("/api/protected")
            .await
            .status
            .as_u16()
    }
}

/// A member of a body that is a text.
pub(crate) fn text<'a>(body: &'a Value, field: &str) -> &'a str {
    body[field].as_str().unwrap()
}
