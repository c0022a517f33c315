//! A real server: started, stopped, refused, and run under every account that can serve it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

mod accounts;
mod lifecycle;
mod refusals;

use std::path::Path;

use local_postgres::{Durability, Options};
use tokio_postgres::{Client, NoTls};

/// Options of a server that is quick to start, in a directory.
fn options(directory: &Path) -> Options {
    let mut options = Options::new(directory);
    options.durability = Durability::Scratch;
    options.binaries = std::env::var_os("TEST_POSTGRES_BIN").map(Into::into);
    options
}

/// A session.
async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// One value out of the database.
async fn value(url: &str, sql: &str) -> String {
    connect(url)
        .await
        .unwrap()
        .query_one(sql, &[])
        .await
        .unwrap()
        .get(0)
}

/// A port that nobody listens on at the moment.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
