//! The control plane on a real PostgreSQL: its API from outside, its reaper, and what the
//! database itself keeps apart.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may panic, as tests do"
)]

mod bootstrap;
mod domains;
mod fleet;
mod functions;
mod hostile;
mod idempotency;
mod inspections;
mod isolation;
mod lifecycle;
mod list;
mod members;
mod operators;
mod plans;
mod publish;
mod reaper;
mod register;
mod rename;
mod renamed;
mod served;
mod statements;
mod support;
mod tls;
mod tokens;
