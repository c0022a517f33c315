//! The command line, as a process of its own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may panic, as tests do"
)]

mod commands;
mod migrate;
mod support;
mod up;
