//! A connection that is well and on which no notification arrives: a proxy that drops them.

#![allow(clippy::unwrap_used)]

use std::{net::Ipv4Addr, time::Duration};

use secrecy::ExposeSecret;
use tenancy::{ChangeFeed, db::Login};
use testkit::{TestDatabase, wait::until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, UnixStream, tcp::OwnedWriteHalf, unix::OwnedReadHalf},
    sync::watch,
};

/// Passes PostgreSQL's messages on but for NotificationResponse, while `deaf` says so.
async fn messages(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    deaf: watch::Receiver<bool>,
) -> std::io::Result<()> {
    loop {
        let mut header = [0; 5];
        from.read_exact(&mut header).await?;
        let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]);
        let mut body = vec![0; usize::try_from(length).unwrap() - 4];
        from.read_exact(&mut body).await?;
        if header[0] != b'A' || !*deaf.borrow() {
            to.write_all(&[&header[..], &body].concat()).await?;
        }
    }
}

/// The data plane's way to a database, through a proxy, and what makes that drop notifications.
async fn proxied(database: &TestDatabase, deaf: bool) -> (Login, watch::Sender<bool>) {
    let (directory, number) = database.data().address();
    let socket = format!("{directory}/.s.PGSQL.{number}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (deaf, is_deaf) = watch::channel(deaf);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = UnixStream::connect(&socket).await.unwrap();
            let (mut from_client, to_client) = client.into_split();
            let (from_server, mut to_server) = server.into_split();
            tokio::spawn(async move { copy(&mut from_client, &mut to_server).await });
            tokio::spawn(messages(from_server, to_client, is_deaf.clone()));
        }
    });
    let password = database.logins().data.expose_secret();
    let name = database.name();
    let url = format!("postgres://tenantry_data:{password}@127.0.0.1:{port}/{name}");
    (url.parse().unwrap(), deaf)
}

#[tokio::test]
async fn notifications_that_stop_are_noticed_and_listened_for_again() {
    let database = TestDatabase::create().await.unwrap();
    let (login, deaf) = proxied(&database, false).await;
    let feed = ChangeFeed::start(&login);
    until("notifications arrive", async || feed.is_fresh()).await;
    feed.check(Duration::from_secs(60)).await.unwrap();
    deaf.send_replace(true);
    until("it is noticed", async || !feed.is_fresh()).await;
    deaf.send_replace(false);
    until("they arrive again", async || feed.is_fresh()).await;
}

#[tokio::test]
async fn a_start_without_notifications_says_why() {
    let database = TestDatabase::create().await.unwrap();
    let (login, _deaf) = proxied(&database, true).await;
    let feed = ChangeFeed::start(&login);
    let refused = feed.check(Duration::from_secs(60)).await.unwrap_err();
    assert!(
        refused.to_string().contains("transaction mode"),
        "{refused}"
    );
    assert!(!feed.is_fresh());
}
