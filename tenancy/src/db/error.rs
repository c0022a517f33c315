//! What can go wrong between here and a row, and what that means for whoever asked.
//!
//! [`class_of`] is the one table of SQLSTATEs; both planes answer by [`Class`].

use std::{error::Error as _, io};

use deadpool::managed::PoolError;
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
    /// The tenant's role cannot be taken on: it is removed, or was never made.
    #[error("no transaction in the tenant's schema: {}", describe(.0))]
    NoSchema(#[source] tokio_postgres::Error),
    /// The database refused, or the connection broke.
    #[error("{}", describe(.0))]
    Query(#[from] tokio_postgres::Error),
    /// The database answered what we cannot read.
    #[error("unreadable answer of the database: {0}")]
    Unreadable(String),
}

/// What an error means for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A value cannot be stored: the client's doing.
    InvalidData,
    /// It refers to a row that is not there, or no longer.
    ReferenceGone,
    /// Something of that name is there already.
    AlreadyExists,
    /// The schema is not the one that this program knows: of another version, or removed.
    SchemaMismatch,
    /// Another transaction came in between, and nothing was done: a second try may do.
    Contended,
    /// Passes by itself or when an operator acts: full, read-only, restarting, not reachable.
    Unavailable,
    /// A fault of this program or of the database.
    Internal,
}

/// The class of an SQLSTATE (appendix A of PostgreSQL's manual).
#[must_use]
pub fn class_of(state: &str) -> Class {
    match state {
        "23503" => Class::ReferenceGone,
        // Unique and exclusion constraints; a schema or a role of that name.
        "23505" | "23P01" | "42P06" | "42710" => Class::AlreadyExists,
        // Undefined schema, table, column, function, object; no such constraint for ON CONFLICT.
        "3F000" | "42P01" | "42703" | "42883" | "42704" | "42P10" => Class::SchemaMismatch,
        // Serialization failure, deadlock; a prepared statement that the server has forgotten.
        "40000" | "40001" | "40P01" | "26000" => Class::Contended,
        // Read-only; idle or running for too long in a transaction; object in use; lock not to be
        // had; no such database; outcome of a statement unknown; snapshot too old.
        "25006" | "25P03" | "25P04" | "55006" | "55P03" | "3D000" | "40003" | "72000" => {
            Class::Unavailable
        }
        _ => match state.get(..2) {
            // Data exceptions; not null, check and the like; beyond a limit of PostgreSQL's.
            Some("22" | "23" | "44" | "54") => Class::InvalidData,
            // Connections, logging in, resources, an operator's intervention, the system around.
            Some("08" | "28" | "53" | "57" | "58") => Class::Unavailable,
            _ => Class::Internal,
        },
    }
}

impl Error {
    /// Why a pool has no connection. PostgreSQL's own words, where it refused one.
    pub(crate) fn unreachable(cause: PoolError<tokio_postgres::Error>) -> Self {
        Self::Unreachable(match cause {
            PoolError::Backend(cause) => describe(&cause),
            other => other.to_string(),
        })
    }

    /// An answer that does not fit what the statement promised.
    pub fn unreadable(cause: impl std::fmt::Display) -> Self {
        Self::Unreadable(cause.to_string())
    }

    pub(crate) fn no_row() -> Self {
        Self::unreadable("a row was expected")
    }

    /// What kept a transaction in a tenant's schema from beginning.
    pub(crate) fn of_prelude(cause: tokio_postgres::Error) -> Self {
        let no_role = [
            SqlState::INVALID_PARAMETER_VALUE,
            SqlState::UNDEFINED_OBJECT,
            SqlState::INSUFFICIENT_PRIVILEGE,
        ];
        if cause.code().is_some_and(|code| no_role.contains(code)) {
            Self::NoSchema(cause)
        } else {
            Self::Query(cause)
        }
    }

    /// What it means for whoever asked.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Busy | Self::Unreachable(_) => Class::Unavailable,
            Self::NoSchema(_) => Class::SchemaMismatch,
            Self::Unreadable(_) => Class::Internal,
            Self::Query(cause) => match cause.as_db_error() {
                Some(db) if is_outdated_plan(db) => Class::Contended,
                Some(db) if is_removed_table(db) => Class::SchemaMismatch,
                Some(db) => class_of(db.code().code()),
                None if is_lost(cause) => Class::Unavailable,
                None => Class::Internal,
            },
        }
    }

    /// The unique constraint or index that the statement would have violated.
    #[must_use]
    pub fn unique_violation(&self) -> Option<&str> {
        self.db()
            .filter(|db| *db.code() == SqlState::UNIQUE_VIOLATION)?
            .constraint()
    }

    /// Whether a schema of that name is there already, or was made by another at the same time.
    #[must_use]
    pub fn is_duplicate_schema(&self) -> bool {
        self.unique_violation() == Some("pg_namespace_nspname_index")
            || self
                .db()
                .is_some_and(|db| *db.code() == SqlState::DUPLICATE_SCHEMA)
    }

    /// The constraint by which a row refers to one that is not there.
    #[must_use]
    pub fn foreign_key_violation(&self) -> Option<&str> {
        self.db()
            .filter(|db| *db.code() == SqlState::FOREIGN_KEY_VIOLATION)?
            .constraint()
    }

    /// Whether a row refers to one that is not there.
    #[must_use]
    pub fn is_foreign_key_violation(&self) -> bool {
        self.class() == Class::ReferenceGone
    }

    /// Whether PostgreSQL itself said so, and thereby that it did nothing.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::NoSchema(_)) || self.db().is_some()
    }

    /// Whether the same on another connection may succeed at once.
    #[must_use]
    pub fn deserves_another_try(&self) -> bool {
        match self {
            Self::Query(cause) => {
                let state = cause.code().map_or("", SqlState::code);
                self.class() == Class::Contended
                    || is_lost(cause)
                    || state.starts_with("08")
                    || state.starts_with("57P")
            }
            _ => false,
        }
    }

    /// Whether a prepared statement no longer fits the tables it is about, or is gone: it was not
    /// executed, and has to be prepared anew.
    #[must_use]
    pub fn is_outdated_statement(&self) -> bool {
        self.db().is_some_and(|db| {
            is_outdated_plan(db) || *db.code() == SqlState::INVALID_SQL_STATEMENT_NAME
        })
    }

    /// Whether it may be the prepared statement that is at fault, and not what it was asked for.
    pub(crate) fn doubts_statement(&self) -> bool {
        self.is_outdated_statement()
            || matches!(self.class(), Class::SchemaMismatch | Class::Internal)
    }

    fn db(&self) -> Option<&DbError> {
        match self {
            Self::Query(cause) => cause.as_db_error(),
            _ => None,
        }
    }
}

/// Whether the connection broke.
fn is_lost(cause: &tokio_postgres::Error) -> bool {
    cause.is_closed()
        || cause
            .source()
            .is_some_and(<dyn std::error::Error>::is::<io::Error>)
}

/// A statement that was prepared before a migration changed what it yields.
fn is_outdated_plan(db: &DbError) -> bool {
    *db.code() == SqlState::FEATURE_NOT_SUPPORTED && db.routine() == Some("RevalidateCachedQuery")
}

/// A table that was removed while a statement on it began. PostgreSQL translates none of its
/// internal messages.
fn is_removed_table(db: &DbError) -> bool {
    let starts = ["could not open relation with OID", "cache lookup failed"];
    *db.code() == SqlState::INTERNAL_ERROR
        && starts.iter().any(|start| db.message().starts_with(start))
}

/// Code and message of PostgreSQL's, without the row's values, which it puts into DETAIL; what is
/// beneath an error that is not PostgreSQL's. `tokio_postgres` itself says 'db error'.
#[must_use]
pub fn describe(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(db), _) => format!("{}: {}", db.code().code(), db.message()),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sqlstate_has_the_class_of_what_it_means() {
        let table = [
            (
                Class::InvalidData,
                "22001 22003 22008 22021 22P02 22P05 23502 23514 54000",
            ),
            (Class::ReferenceGone, "23503"),
            (Class::AlreadyExists, "23505 23P01 42P06 42710"),
            (Class::SchemaMismatch, "3F000 42P01 42703 42883 42704 42P10"),
            (Class::Contended, "40001 40P01 26000"),
            (
                Class::Unavailable,
                "08000 08003 08006 25006 25P03 28000 28P01 3D000 53100 53200 53300 55P03 55006 \
                 57014 57P01 57P02 57P03 57P05 58030",
            ),
            (
                Class::Internal,
                "0A000 21000 25P02 42501 42601 P0001 XX000 XX001",
            ),
        ];
        for (class, states) in table {
            for state in states.split(' ') {
                assert_eq!(class_of(state), class, "{state}");
            }
        }
    }
}
