//! What can go wrong in the data plane, and how it is told: problems (RFC 9457) everywhere but
//! at the OAuth endpoints, which answer the body of RFC 6749.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use service::{Faults, Kind, Problem, body::Json};
use tenancy::db::Class;
use utoipa::ToSchema;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The database did not do it.
    #[error(transparent)]
    Db(#[from] tenancy::db::Error),
    /// Somebody else has this already.
    #[error("{0} is taken")]
    Taken(&'static str),
    /// Nothing of that id here.
    #[error("not found")]
    NotFound,
    /// The plan allows no more.
    #[error("{quota}: {used} of {limit}")]
    Quota {
        /// What it counts.
        quota: &'static str,
        /// How many there may be.
        limit: i64,
        /// How many there are.
        used: i64,
    },
    /// Whoever acts has lost the right to, since their credentials were looked up.
    #[error("the right to do this was lost meanwhile")]
    RightLost,
    /// It concerns somebody, or gives a role, above the role of whoever acts.
    #[error("above the own role")]
    AboveOwnRole,
    /// The plan has room only for users whom admins add.
    #[error("users: {used} of {limit}, {reserved} kept for admins")]
    Reserved {
        /// How many there may be.
        limit: i64,
        /// How many there are.
        used: i64,
        /// How many are kept for those whom admins add.
        reserved: i64,
    },
    /// It would leave the tenant without an owner.
    #[error("the tenant needs an owner")]
    LastOwner,
    /// Passwords could not be hashed.
    #[error(transparent)]
    Password(#[from] service::password::Error),
    /// Already told as the outside will see it.
    #[error("{0:?}")]
    Response(Box<Problem>),
}

impl From<tokio_postgres::Error> for Error {
    fn from(cause: tokio_postgres::Error) -> Self {
        Self::Db(cause.into())
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Response(Box::new(problem))
    }
}

impl From<Faults> for Error {
    fn from(faults: Faults) -> Self {
        Problem::from(faults).into()
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Db(cause) => from_db(&cause),
            Error::Taken(field) => Problem::new(Kind::Conflict)
                .detail(format!("This {field} is taken already."))
                .field(field, "is taken"),
            Error::NotFound => Problem::new(Kind::NotFound),
            Error::Quota { quota, limit, used } => Problem::new(Kind::QuotaExceeded)
                .detail(format!(
                    "The plan allows {limit} {quota}; there are {used}."
                ))
                .fact("quota", quota)
                .fact("limit", limit)
                .fact("used", used),
            Error::RightLost => Problem::new(Kind::Forbidden)
                .detail("Your role or password changed meanwhile. Sign in again."),
            Error::AboveOwnRole => {
                Problem::new(Kind::Forbidden).detail("That is above your own role.")
            }
            Error::Reserved {
                limit,
                used,
                reserved,
            } => Problem::new(Kind::QuotaExceeded)
                .detail(format!(
                    "The plan allows {limit} users; there are {used}, and {reserved} places are \
                     kept for users whom an administrator adds."
                ))
                .fact("quota", "users")
                .fact("limit", limit)
                .fact("used", used)
                .fact("reserved", reserved),
            Error::LastOwner => Problem::new(Kind::Conflict)
                .detail("A tenant needs at least one active owner, and this is the last."),
            Error::Password(cause) => cause.into(),
            Error::Response(problem) => *problem,
        }
    }
}

/// What the database's refusal means here; the table of SQLSTATEs is in [`tenancy::db`].
fn from_db(cause: &tenancy::db::Error) -> Problem {
    match cause.class() {
        Class::Internal => return Problem::internal(cause),
        Class::SchemaMismatch => tracing::error!(%cause, "not the schema that this program knows"),
        _ => tracing::warn!(%cause, "the database refuses"),
    }
    match cause.class() {
        Class::InvalidData => {
            Problem::new(Kind::ValidationFailed).detail("A value cannot be stored as it was sent.")
        }
        Class::ReferenceGone => reference_gone(cause.foreign_key_violation().unwrap_or_default()),
        Class::AlreadyExists => Problem::new(Kind::Conflict),
        Class::SchemaMismatch => Problem::new(Kind::TenantNotReady)
            .detail("The tenant is being brought up to date.")
            .retry_after(5),
        Class::Contended | Class::Unavailable | Class::Internal => {
            Problem::new(Kind::Unavailable).retry_after(1)
        }
    }
}

/// Rows name the user or client that made them by these columns: where that one is not there, it is
/// the caller who was removed meanwhile.
fn reference_gone(constraint: &str) -> Problem {
    let callers = [
        "_user_id_fkey",
        "_author_id_fkey",
        "_created_by_fkey",
        "_client_id_fkey",
    ];
    if callers.iter().any(|column| constraint.ends_with(column)) {
        Problem::new(Kind::Unauthorized).detail("The account was removed meanwhile.")
    } else {
        Problem::new(Kind::Conflict).detail("What this refers to was removed meanwhile.")
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

/// The error codes of RFC 6749 section 5.2, RFC 7009 and RFC 7591 that we answer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope,
    InvalidClientMetadata,
    InvalidRedirectUri,
}

impl Code {
    fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
        }
    }
}

/// The error body of the OAuth endpoints (RFC 6749 section 5.2).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OAuthErrorBody {
    /// The code.
    pub(crate) error: String,
    /// For the developer of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_description: Option<String>,
}

/// Why an OAuth endpoint refuses.
#[derive(Debug)]
pub(crate) enum OAuthError {
    /// As the RFC says it.
    Coded(Code, String),
    /// Before or beside OAuth: the tenant, the database, the limits.
    Other(Error),
}

impl OAuthError {
    pub(crate) fn new(code: Code, description: impl Into<String>) -> Self {
        Self::Coded(code, description.into())
    }
}

impl<E: Into<Error>> From<E> for OAuthError {
    fn from(error: E) -> Self {
        match error.into() {
            Error::Response(problem) => Self::from_problem(*problem),
            error => Self::Other(error),
        }
    }
}

impl OAuthError {
    /// Bodies that cannot be read are `invalid_request`; everything else stays what it is.
    fn from_problem(problem: Problem) -> Self {
        match problem.kind() {
            Kind::MalformedRequest | Kind::UnsupportedMediaType | Kind::ValidationFailed => {
                Self::new(Code::InvalidRequest, problem.message())
            }
            _ => Self::Other(problem.into()),
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let (code, description) = match self {
            Self::Coded(code, description) => (code, description),
            Self::Other(error) => return error.into_response(),
        };
        let body = OAuthErrorBody {
            error: code.as_str().to_owned(),
            error_description: Some(printable(&description)).filter(|text| !text.is_empty()),
        };
        let status = match code {
            Code::InvalidClient => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            let basic = HeaderValue::from_static("Basic realm=\"oauth\", charset=\"UTF-8\"");
            headers.insert(header::WWW_AUTHENTICATE, basic);
        }
        response
    }
}

/// RFC 6749 section 5.2 allows `%x20-21 / %x23-5B / %x5D-7E` in a description.
fn printable(text: &str) -> String {
    let allowed = |c: char| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~');
    text.chars()
        .map(|c| if allowed(c) { c } else { '\'' })
        .take(300)
        .collect()
}
