//! What can go wrong between here and a row.

use std::error::Error as _;

use tokio_postgres::error::{DbError, SqlState};

/// Why a statement has no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection became free in time.
    #[error("no database connection became free in time")]
    Busy,
    /// The database cannot be reached.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The database refused, or the connection broke.
    #[error("{}", describe(.0))]
    Query(#[from] tokio_postgres::Error),
    /// The database answered what we cannot read.
    #[error("unreadable answer of the database: {0}")]
    Unreadable(String),
}

impl Error {
    pub(crate) fn unreachable(cause: impl std::fmt::Display) -> Self {
        Self::Unreachable(cause.to_string())
    }

    /// An answer that does not fit what the statement promised.
    pub fn unreadable(cause: impl std::fmt::Display) -> Self {
        Self::Unreadable(cause.to_string())
    }

    pub(crate) fn no_row() -> Self {
        Self::unreadable("a row was expected")
    }

    /// The unique constraint or index that the statement would have violated.
    #[must_use]
    pub fn unique_violation(&self) -> Option<&str> {
        self.db()
            .filter(|db| *db.code() == SqlState::UNIQUE_VIOLATION)?
            .constraint()
    }

    /// Whether a row refers to one that is not there.
    #[must_use]
    pub fn is_foreign_key_violation(&self) -> bool {
        self.db()
            .is_some_and(|db| *db.code() == SqlState::FOREIGN_KEY_VIOLATION)
    }

    /// Whether it is worth trying again a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        let transient = [
            SqlState::QUERY_CANCELED,
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::T_R_DEADLOCK_DETECTED,
        ];
        match self {
            Self::Busy | Self::Unreachable(_) => true,
            Self::Query(cause) => {
                cause.is_closed() || cause.code().is_some_and(|code| transient.contains(code))
            }
            Self::Unreadable(_) => false,
        }
    }

    fn db(&self) -> Option<&DbError> {
        match self {
            Self::Query(cause) => cause.as_db_error(),
            _ => None,
        }
    }
}

/// The message without the row's values, which PostgreSQL puts into DETAIL; what is beneath one that
/// is not PostgreSQL's.
fn describe(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(db), _) => format!("{}: {}", db.code().code(), db.message()),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}
