//! Ids, and reading them from a path. What cannot be an id is not found, as any other id that is
//! nobody's.

use std::{fmt, str::FromStr};

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use serde::Serialize;
use service::{Kind, Problem, exact};
use utoipa::ToSchema;
use uuid::Uuid;

/// Why a text is no id: it is not what an id is written as, character by character.
#[derive(Debug, thiserror::Error)]
#[error("is not an id")]
pub(crate) struct NoId;

/// A user's id within their tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
pub(crate) struct UserId(Uuid);

impl UserId {
    pub(crate) fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// The UUID, as a parameter.
    pub(crate) fn as_uuid(&self) -> &Uuid {
        &self.0
    }
}

impl FromStr for UserId {
    type Err = NoId;

    fn from_str(text: &str) -> Result<Self, NoId> {
        exact::uuid(text).map(Self).ok_or(NoId)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A note's id within its tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct NoteId(pub(crate) i64);

impl FromStr for NoteId {
    type Err = NoId;

    fn from_str(text: &str) -> Result<Self, NoId> {
        exact::parse(text).map(Self).ok_or(NoId)
    }
}

/// The one id in a request's path.
pub(crate) struct Id<T>(pub(crate) T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::new(Kind::NotFound))?;
        text.parse()
            .map(Self)
            .map_err(|_| Problem::new(Kind::NotFound))
    }
}
