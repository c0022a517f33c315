//! The data plane from outside, file by file as its routes are, on real PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accounts;
mod bad_input;
mod clients;
mod connections;
mod cors;
mod database;
mod description;
mod empty_parameters;
mod ended;
mod exact;
mod guessing;
mod hang_ups;
mod hosts;
mod info;
mod isolation;
mod isolation_mutants;
mod metrics;
mod naming;
mod notes;
mod one_tenant;
mod outdated;
mod protected;
mod protocol;
mod rates;
mod schema;
mod settings;
mod slow_readers;
mod statements;
mod tokens;
mod users;
