//! A database per test, a typed test application, and the runner that starts PostgreSQL for both.
//!
//! A test reads in about twenty lines: [`app::TestApp`] has both planes in this process on a
//! fresh database; its tenants, users and clients are made through the same endpoints that
//! everybody uses. What goes wrong here is a fault of the test, so that it panics.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc
)]

pub mod app;
pub mod certificates;
pub mod client;
pub mod database;
pub mod description;
pub mod first_version;
pub mod hosts;
pub mod interleave;
pub mod matrix;
pub mod metrics;
pub mod port;
pub mod rounds;
pub mod seed;
pub mod server;
pub mod wait;

pub use app::TestApp;
pub use client::{Answer, Client};
pub use database::TestDatabase;
pub use metrics::figure;
pub use rounds::rounds;
