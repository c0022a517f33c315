//! Limits, peers and this product, in one table of ratios.
//!
//! Everything that is compared runs in one go on one machine against one PostgreSQL server, in
//! interleaved windows, so that a ratio survives where an absolute figure would not. The load
//! goes to 127.0.0.1 only. It refuses to guess: a request that fails makes its row invalid, a
//! peer that cannot be set up says so in the table, and a missed target is an exit code.

#![allow(
    clippy::disallowed_methods,
    reason = "measures real time, and its limit server is as thin as axum and tokio-postgres allow"
)]
#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a program: the table is its output"
)]

mod attack;
mod database;
mod ddl;
mod fleet;
mod limits;
mod load;
mod memory;
mod nginx;
mod options;
mod peer;
mod process;
mod product;
mod report;
mod rows;
mod run;
mod scratch;

pub use options::{Cli, Options};
pub use run::{Outcome, main};
