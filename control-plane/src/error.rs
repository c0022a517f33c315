//! What can go wrong in the control plane, and how it is told.

use axum::response::{IntoResponse, Response};
use service::{Faults, Kind, Problem};
use tenancy::{Status, db::Class};

use crate::store::domains::MAX_CLAIMS;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database did not do it.
    #[error(transparent)]
    Db(#[from] tenancy::db::Error),
    /// There is no such tenant.
    #[error("there is no tenant {0}")]
    NoTenant(String),
    /// The tenant has another slug by now.
    #[error("the tenant {slug} is called {now} now")]
    Renamed {
        /// The slug it gave up.
        slug: String,
        /// The slug it has.
        now: String,
    },
    /// There is no such domain at this tenant.
    #[error("the tenant has no domain {0}")]
    NoDomain(String),
    /// No such login is open for this tenant's schema.
    #[error("no login {0} is open for the tenant")]
    NoInspection(String),
    /// There is no such user at this tenant.
    #[error("the tenant has no user {0}")]
    NoUser(String),
    /// The plan allows no more users.
    #[error("the plan allows {limit} users; there are {used}")]
    Quota {
        /// How many there may be.
        limit: i64,
        /// How many there are.
        used: i64,
    },
    /// The tenant claims as many domains as it may.
    #[error(
        "the tenant claims {used} domains that are not verified: verify or remove some, or wait \
         until a claim ends"
    )]
    Claims {
        /// How many it claims.
        used: i64,
    },
    /// There is no such plan.
    #[error("there is no plan {0}")]
    NoPlan(String),
    /// Tenants are on the plan, or were until they were purged.
    #[error("{tenants} tenants are, or were, on the plan {plan}")]
    PlanInUse {
        /// The plan.
        plan: String,
        /// How many, those purged among them.
        tenants: i64,
    },
    /// There is no such operator's token.
    #[error("there is no operator's token {0}")]
    NoToken(String),
    /// Somebody else has this already.
    #[error("{field} is taken")]
    Taken {
        /// The request's field.
        field: &'static str,
    },
    /// The tenant is not in a state from which this is possible.
    #[error("the tenant is {}, so this is not possible", .0.as_str())]
    WrongStatus(Status),
    /// The password could not be hashed.
    #[error(transparent)]
    Password(#[from] service::password::Error),
    /// Already told as the outside will see it.
    #[error("{}", .0.summary())]
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
        let text = error.to_string();
        match error {
            Error::Db(cause) => from_db(&cause),
            Error::NoTenant(_) => Self::new(Kind::TenantNotFound),
            Error::Renamed { now, .. } => Self::new(Kind::TenantNotFound)
                .detail(text)
                .fact("tenant_slug", now),
            Error::NoDomain(_) => {
                Self::new(Kind::NotFound).detail("The tenant has no such domain.")
            }
            Error::NoInspection(_) => {
                Self::new(Kind::NotFound).detail("No such login is open for the tenant.")
            }
            Error::NoUser(_) => Self::new(Kind::NotFound).detail("The tenant has no such user."),
            Error::Quota { limit, used } => Self::new(Kind::QuotaExceeded)
                .detail(text)
                .fact("quota", "users")
                .fact("limit", limit)
                .fact("used", used),
            Error::Claims { used } => Self::new(Kind::QuotaExceeded)
                .detail(text)
                .fact("quota", "domain_claims")
                .fact("limit", MAX_CLAIMS)
                .fact("used", used),
            Error::NoPlan(_) => Self::new(Kind::ValidationFailed).field("plan", "is not a plan"),
            Error::PlanInUse { tenants, .. } => Self::new(Kind::Conflict)
                .detail(text)
                .fact("tenants", tenants),
            Error::NoToken(_) => Self::new(Kind::NotFound).detail("There is no such token."),
            Error::Taken { field } => Self::new(Kind::Conflict)
                .detail("Already taken. See errors for details.")
                .field(field, "is taken"),
            Error::WrongStatus(status) => Self::new(Kind::Conflict)
                .detail(text)
                .fact("tenant_status", status.as_str()),
            Error::Password(cause) => cause.into(),
            Error::Response(problem) => *problem,
        }
    }
}

/// What the database's refusal means here; the table of SQLSTATEs is in [`tenancy::db`].
fn from_db(cause: &tenancy::db::Error) -> Problem {
    match cause.class() {
        Class::Internal => return Problem::internal(cause),
        _ => tracing::warn!(%cause, "the database refuses"),
    }
    match cause.class() {
        Class::InvalidData => {
            Problem::new(Kind::ValidationFailed).detail("A value cannot be stored as it was sent.")
        }
        Class::ReferenceGone => {
            Problem::new(Kind::Conflict).detail("What this refers to was removed meanwhile.")
        }
        Class::AlreadyExists => Problem::new(Kind::Conflict),
        Class::SchemaMismatch => Problem::new(Kind::TenantNotReady).retry_after(5),
        Class::Contended | Class::Unavailable | Class::Internal => {
            Problem::new(Kind::Unavailable).retry_after(1)
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
