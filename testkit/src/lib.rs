//! A database per test, a typed test application, and the runner that starts PostgreSQL for both.

pub mod database;
pub mod server;
