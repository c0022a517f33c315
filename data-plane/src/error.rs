//! What can go wrong in the data plane, and how it is told: as problems (RFC 9457), which carry the
//! members of RFC 6749 at the protocol's endpoints.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
pub(crate) use service::protocol::OAuthErrorBody;
use service::{Faults, Kind, Problem};
use tenancy::db::Class;

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
                .detail(format!("This {field} is already taken."))
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
                Problem::new(Kind::Forbidden).detail("This role is above your own.")
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
            Error::LastOwner => {
                Problem::new(Kind::Conflict).detail("A tenant must have at least one active owner.")
            }
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
        "_authorization_id_fkey",
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

/// The error codes of RFC 6749 section 5.2, RFC 7009 and RFC 7591 that handlers choose.
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
    fn kind(self) -> Kind {
        match self {
            Self::InvalidRequest => Kind::InvalidRequest,
            Self::InvalidClient => Kind::InvalidClient,
            Self::InvalidGrant => Kind::InvalidGrant,
            Self::UnauthorizedClient => Kind::UnauthorizedClient,
            Self::UnsupportedGrantType => Kind::UnsupportedGrantType,
            Self::InvalidScope => Kind::InvalidScope,
            Self::InvalidClientMetadata => Kind::InvalidClientMetadata,
            Self::InvalidRedirectUri => Kind::InvalidRedirectUri,
        }
    }
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
                Self::new(Code::InvalidRequest, problem.summary())
            }
            _ => Self::Other(problem.into()),
        }
    }
}

impl From<OAuthError> for Problem {
    fn from(error: OAuthError) -> Self {
        let (code, description) = match error {
            OAuthError::Coded(code, description) => (code, description),
            OAuthError::Other(error) => return error.into(),
        };
        let mut problem = Self::new(code.kind());
        if !description.is_empty() {
            problem = problem.detail(description);
        }
        if code == Code::InvalidClient {
            let basic = HeaderValue::from_static("Basic realm=\"oauth\", charset=\"UTF-8\"");
            problem = problem.header(header::WWW_AUTHENTICATE, basic);
        }
        problem
    }
}

/// With the body that [`service::protocol`] gives every refusal under these paths.
impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
