//! What the pages ask of the control plane.

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Plane, PlaneError};
use crate::visitor::Visitor;

/// A sign-up, by the API's names.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct NewTenant {
    pub(crate) tenant_name: String,
    pub(crate) tenant_slug: String,
    pub(crate) admin_username: String,
    pub(crate) admin_email: String,
    pub(crate) admin_password: SecretString,
    pub(crate) plan: String,
    /// Makes a repeated submission of the same form one sign-up.
    pub(crate) idempotency_key: String,
}

/// A tenant that was just made.
#[derive(Deserialize)]
pub(crate) struct Registered {
    pub(crate) tenant: RegisteredTenant,
    pub(crate) admin: RegisteredAdmin,
    /// Signs the owner in at the tenant, once. A repeated answer has none.
    #[serde(default)]
    pub(crate) sign_in_code: Option<SecretString>,
}

#[derive(Deserialize)]
pub(crate) struct RegisteredTenant {
    pub(crate) slug: String,
}

#[derive(Deserialize)]
pub(crate) struct RegisteredAdmin {
    pub(crate) username: String,
}

/// Whether a slug can be had, and if not, why.
#[derive(Deserialize, Serialize)]
pub(crate) struct SlugAvailability {
    slug: String,
    available: bool,
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

/// What strangers may sign up for.
#[derive(Clone, Deserialize)]
pub(crate) struct Offer {
    /// `open` or `closed`.
    pub(crate) signup: String,
    /// Whom to ask while it is closed.
    #[serde(default)]
    pub(crate) contact: Option<String>,
    /// The first is the default.
    pub(crate) plans: Vec<OfferedPlan>,
}

/// A plan that a stranger may choose.
#[derive(Clone, Deserialize)]
pub(crate) struct OfferedPlan {
    pub(crate) name: String,
    pub(crate) title: String,
    /// None: unlimited.
    #[serde(default)]
    pub(crate) max_users: Option<i64>,
}

impl Plane {
    /// Asks what strangers may sign up for.
    pub(crate) async fn offer(&self, visitor: &Visitor) -> Result<Offer, PlaneError> {
        self.get(visitor.headers(), "/tenants/plans").await?.json()
    }

    /// Signs a tenant up.
    pub(crate) async fn sign_up(
        &self,
        visitor: &Visitor,
        new: &NewTenant,
    ) -> Result<Registered, PlaneError> {
        let mut headers = visitor.headers();
        if let Ok(key) = HeaderValue::from_str(&new.idempotency_key) {
            headers.insert("idempotency-key", key);
        }
        let body = json!({
            "tenant_name": new.tenant_name,
            "tenant_slug": new.tenant_slug,
            "admin_username": new.admin_username,
            "admin_email": new.admin_email,
            "admin_password": new.admin_password.expose_secret(),
            "plan": new.plan,
            "sign_in_code": true,
        });
        self.post(headers, "/tenants/register", &body).await?.json()
    }

    /// Asks whether a slug can be had.
    pub(crate) async fn slug_availability(
        &self,
        visitor: &Visitor,
        slug: &str,
    ) -> Result<SlugAvailability, PlaneError> {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("slug", slug)
            .finish();
        self.get(visitor.headers(), &format!("/tenants/register?{query}"))
            .await?
            .json()
    }
}
