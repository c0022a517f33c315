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
mod introspect;
mod isolation;
mod isolation_mutants;
mod metrics;
mod naming;
mod notes;
mod oauth_client;
mod one_tenant;
mod outdated;
mod protected;
mod protocol;
mod rates;
mod refresh;
mod revoke;
mod schema;
mod settings;
mod slow_readers;
mod statements;
mod tokens;
mod users;
