//! What an applicant gets: kept with the idempotency key, so that it is the same when it is given
//! again.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use service::{Problem, settings::Addresses};
use tenancy::Slug;
use utoipa::ToSchema;

use crate::error::Error;

/// The answer to a sign-up.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = SignedUp)]
#[schema(example = json!(
    {"message": "Welcome.", "tenant": {"id": "0197c5a0-7e1c-7cc3-98c4-dc0c0c07398f",
    "name": "Acme", "slug": "acme", "domain": null, "plan": "free", "status": "active"},
    "admin": {"id": "0197c5a0-7e1c-7cc3-98c4-dc0c0c07398f", "username": "ada",
    "email": "ada@example.com", "role": "owner"},
    "access_info": {"subdomain": "http://acme.localhost:8080", "header": "X-Tenant-Slug: acme",
    "path": "http://localhost:8080/tenants/acme"}}
))]
pub(crate) struct Answer {
    pub(super) message: String,
    pub(super) tenant: Tenant,
    pub(super) admin: Admin,
    pub(super) access_info: AccessInfo,
}

/// The tenant that was made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Tenant {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) slug: String,
    /// Claimed; served once it is verified.
    pub(super) domain: Option<String>,
    pub(super) plan: String,
    /// Always `active`.
    pub(super) status: String,
}

/// Its owner.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Admin {
    pub(super) id: String,
    pub(super) username: String,
    pub(super) email: String,
    /// Always `owner`.
    pub(super) role: String,
}

/// The ways to name it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AccessInfo {
    /// Its own address.
    subdomain: String,
    /// A header at the platform's address.
    header: String,
    /// A path at the platform's address.
    path: String,
}

impl AccessInfo {
    pub(super) fn new(slug: &Slug, addresses: &Addresses) -> Self {
        let api = addresses.api_of(&addresses.base_domain);
        Self {
            subdomain: addresses.api_of(&addresses.subdomain(slug.as_str())),
            header: format!("X-Tenant-Slug: {slug}"),
            path: format!("{api}/tenants/{slug}"),
        }
    }
}

/// A tenant that was made, as it is answered.
#[derive(Clone, Debug, Serialize)]
pub struct SignedUp {
    #[serde(flatten)]
    answer: Answer,
    /// Signs the owner in once. It is no part of what is kept for an idempotency key.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "exposed")]
    sign_in_code: Option<SecretString>,
}

impl SignedUp {
    pub(super) fn read(response: serde_json::Value) -> Result<Self, Error> {
        let answer = serde_json::from_value(response);
        Ok(Self {
            answer: answer.map_err(|cause| Problem::internal(&cause))?,
            sign_in_code: None,
        })
    }

    pub(super) fn with_code(self, sign_in_code: Option<SecretString>) -> Self {
        Self {
            sign_in_code,
            ..self
        }
    }

    /// The tenant's slug.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.answer.tenant.slug
    }

    /// Its own address, for the command line to show.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.answer.access_info.subdomain
    }
}

fn exposed<S: Serializer>(code: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    code.as_ref()
        .map(ExposeSecret::expose_secret)
        .serialize(serializer)
}
