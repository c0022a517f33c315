//! What the paths of the operators' API name.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use service::{Kind, Problem, exact};
use tenancy::{Hostname, Slug};
use uuid::Uuid;

/// The tenant that the path names. What can be no slug is nobody's.
pub(crate) struct Named(pub(crate) Slug);

/// The domain that the path names.
pub(crate) struct NamedDomain(pub(crate) Hostname);

/// The login that the path names.
pub(crate) struct NamedLogin(pub(crate) String);

/// The user that the path names, by username or email address.
pub(crate) struct NamedUser(pub(crate) String);

/// The plan that the path names.
pub(crate) struct NamedPlan(pub(crate) String);

/// The operator's token that the path names by its id.
pub(crate) struct NamedToken(pub(crate) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let slug = word(parts, state, "slug").await;
        let slug = slug.and_then(|slug| slug.parse().ok());
        slug.map(Self)
            .ok_or_else(|| Problem::new(Kind::TenantNotFound))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for NamedDomain {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let host = word(parts, state, "hostname").await;
        let host = host.and_then(|host| host.parse().ok());
        host.map(Self).ok_or_else(|| Problem::new(Kind::NotFound))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for NamedLogin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        text(parts, state, "login").await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for NamedUser {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        text(parts, state, "user").await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for NamedPlan {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        text(parts, state, "name").await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for NamedToken {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = word(parts, state, "id").await;
        let id = id.as_deref().and_then(exact::uuid);
        id.map(Self).ok_or_else(|| Problem::new(Kind::NotFound))
    }
}

async fn text<S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
    place: &str,
) -> Result<String, Problem> {
    let text = word(parts, state, place).await;
    text.ok_or_else(|| Problem::new(Kind::NotFound))
}

/// What stands in one place of the path; `None` when it cannot be read.
async fn word<S: Send + Sync>(parts: &mut Parts, state: &S, place: &str) -> Option<String> {
    let path = Path::<Vec<(String, String)>>::from_request_parts(parts, state).await;
    let mut words = path.ok()?.0.into_iter();
    words.find(|(name, _)| name == place).map(|(_, word)| word)
}
