//! What the pages ask of the data plane, always on the tenant's own host.

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::{Plane, PlaneError};
use crate::visitor::Visitor;

/// What someone signs in with.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Credentials {
    pub(crate) username: String,
    pub(crate) password: SecretString,
    /// Where to go afterwards.
    pub(crate) return_to: String,
}

/// What someone registers with.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct NewUser {
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) password: SecretString,
    pub(crate) return_to: String,
}

/// A tenant's facts: the public ones, and with a session those of the member.
#[derive(Deserialize)]
pub(crate) struct Info {
    pub(crate) slug: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) plan: Option<String>,
    #[serde(default)]
    registration: Option<String>,
    #[serde(default)]
    pub(crate) created_at: Option<String>,
    #[serde(default)]
    pub(crate) member: Option<Member>,
}

impl Info {
    /// Whether anyone may register.
    pub(crate) fn open(&self) -> bool {
        self.registration.as_deref() == Some("open")
    }
}

/// Who is signed in.
#[derive(Deserialize)]
pub(crate) struct Member {
    pub(crate) username: String,
    #[serde(default)]
    pub(crate) email: Option<String>,
    #[serde(default)]
    pub(crate) role: String,
    #[serde(default)]
    pub(crate) created_at: Option<String>,
}

impl Member {
    /// Whether the tenant's figures are theirs to see. The data plane asks again.
    pub(crate) fn administers(&self) -> bool {
        matches!(self.role.as_str(), "admin" | "owner")
    }
}

/// A tenant's figures. A missing limit is none.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Stats {
    pub(crate) total_users: Option<u64>,
    pub(crate) active_users: Option<u64>,
    pub(crate) total_clients: Option<u64>,
    pub(crate) active_tokens: Option<u64>,
    pub(crate) max_users: Option<u64>,
}

/// The cookies by which a session begins or ends.
pub(crate) struct SessionChange(pub(crate) Vec<HeaderValue>);

impl Plane {
    /// The tenant of the visitor's host, and who the visitor is there.
    pub(crate) async fn info(&self, visitor: &Visitor) -> Result<Info, PlaneError> {
        self.get(visitor.headers(), "/tenants/info").await?.json()
    }

    /// The tenant's figures, for those who administer it.
    pub(crate) async fn stats(&self, visitor: &Visitor) -> Result<Stats, PlaneError> {
        self.get(visitor.headers(), "/tenants/stats").await?.json()
    }

    /// Begins a session.
    pub(crate) async fn sign_in(
        &self,
        visitor: &Visitor,
        with: &Credentials,
    ) -> Result<SessionChange, PlaneError> {
        let body = json!({ "username": with.username, "password": with.password.expose_secret() });
        let answer = self.post(visitor.headers(), "/oauth/login", &body).await?;
        Ok(SessionChange(answer.cookies()))
    }

    /// Begins the session of whoever has just signed the tenant up.
    pub(crate) async fn redeem(
        &self,
        visitor: &Visitor,
        code: &SecretString,
    ) -> Result<SessionChange, PlaneError> {
        let body = json!({ "code": code.expose_secret() });
        let answer = self
            .post(visitor.headers(), "/oauth/login/code", &body)
            .await?;
        Ok(SessionChange(answer.cookies()))
    }

    /// Makes a user of the tenant.
    pub(crate) async fn register(
        &self,
        visitor: &Visitor,
        new: &NewUser,
    ) -> Result<(), PlaneError> {
        let body = json!({
            "username": new.username,
            "email": new.email,
            "password": new.password.expose_secret(),
        });
        self.post(visitor.headers(), "/oauth/register", &body)
            .await
            .map(drop)
    }

    /// Ends the session.
    pub(crate) async fn sign_out(&self, visitor: &Visitor) -> Result<SessionChange, PlaneError> {
        let answer = self
            .post(visitor.headers(), "/oauth/logout", &json!({}))
            .await?;
        Ok(SessionChange(answer.cookies()))
    }
}
