//! The data plane from outside, file by file as its routes are, on real PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod notes;
mod statements;
