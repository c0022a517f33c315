//! Clients that dawdle over an answer, and the end of a service.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use rustix::process::{Signal, getpid, kill_process};
use service::{
    Entropy,
    health::Health,
    layers::wrap,
    serve::{self, Alone},
    settings::Network,
    telemetry::Metrics,
};
use testkit::{port::free_port, wait::until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use tokio_util::sync::CancellationToken;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

async fn begin(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(REQUEST).await.unwrap();
    stream
}

/// One place, taken by a client that reads nothing of what it asked for.
#[tokio::test]
async fn whoever_takes_no_answer_gives_its_place_up() {
    let network = Network {
        max_connections: 1,
        client_timeout_seconds: 1,
        ..Network::default()
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let large = "x".repeat(64 << 20);
    let router = Router::new().fallback(async move || large.clone());
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    tokio::spawn(async move { serve::run(listener, None, router, &network, stop).await });

    let _dawdles = begin(address).await;
    let mut other = begin(address).await;
    let mut first = [0; 12];
    let answered = other.read_exact(&mut first);
    let answered = tokio::time::timeout(Duration::from_secs(60), answered).await;
    answered.expect("a place").unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
}

/// Many clients send all that they have to send before they look at the answer.
#[tokio::test]
async fn an_early_answer_reaches_a_client_that_is_still_sending() {
    let network = Network::default();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = wrap(Router::new(), &network, &Entropy::seeded(1));
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    tokio::spawn(async move { serve::run(listener, None, router, &network, stop).await });

    let body = vec![b'x'; 900_000];
    let head = format!(
        "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    // One after the other on one connection, which is kept.
    for _ in 0..2 {
        stream.write_all(head.as_bytes()).await.unwrap();
        for part in body.chunks(100_000) {
            stream.write_all(part).await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut answer = String::new();
        while !answer.ends_with('}') {
            let mut part = [0; 4096];
            let read = stream.read(&mut part).await.unwrap();
            assert!(read > 0, "{answer}");
            answer.push_str(std::str::from_utf8(&part[..read]).unwrap());
        }
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
}

/// On Linux all of 127.0.0.0/8 is the loopback, and a listener on one of its addresses is not on the
/// others.
#[tokio::test]
async fn metrics_stay_on_the_loopback_when_the_service_does_not() {
    let (public, admin) = (free_port(), free_port());
    let network = Network {
        bind_address: Ipv4Addr::UNSPECIFIED.into(),
        admin_port: admin,
        ..Network::default()
    };
    let alone = Alone {
        port: public,
        variable: "PORT",
        router: Router::new(),
        health: Health::default(),
        metrics: Metrics::start(),
    };
    tokio::spawn(async move { alone.run(&network, CancellationToken::new()).await });
    until("it serves", async || {
        TcpStream::connect(("127.0.0.2", public)).await.is_ok()
    })
    .await;

    let elsewhere = TcpStream::connect(("127.0.0.2", admin)).await;
    assert!(
        elsewhere.is_err(),
        "the admin port is on the loopback alone"
    );
    let ask = async |port| reqwest::get(format!("http://127.0.0.1:{port}/metrics")).await;
    assert_eq!(ask(admin).await.unwrap().status(), 200);
    assert_eq!(ask(public).await.unwrap().status(), 404);
}

#[tokio::test]
async fn that_it_drains_is_told_until_the_end() {
    let [public, admin] = [(); 2].map(|()| SocketAddr::from(([127, 0, 0, 1], free_port())));
    let network = Network {
        admin_port: admin.port(),
        ..Network::default()
    };
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let alone = Alone {
        port: public.port(),
        variable: "PORT",
        router: {
            let (arrived, go_on) = (Arc::clone(&arrived), Arc::clone(&go_on));
            Router::new().fallback(async move || {
                arrived.notify_one();
                go_on.notified().await;
                "done"
            })
        },
        health: Health::default(),
        metrics: Metrics::start(),
    };
    let served = tokio::spawn(async move { alone.run(&network, CancellationToken::new()).await });
    until("it serves", async || {
        TcpStream::connect(public).await.is_ok()
    })
    .await;
    let mut under_way = begin(public).await;
    arrived.notified().await;

    kill_process(getpid(), Signal::TERM).unwrap();
    let ask = async |path: &str| {
        let url = format!("http://{admin}{path}");
        reqwest::get(url).await.unwrap().text().await.unwrap()
    };
    until("it says so", async || {
        ask("/health/ready").await.contains("draining")
    })
    .await;
    assert!(ask("/metrics").await.contains("service_ready 0"));
    assert!(TcpStream::connect(public).await.is_err(), "nobody new");

    go_on.notify_one();
    let mut answer = String::new();
    under_way.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("done"), "{answer}");
    served.await.unwrap().unwrap();
}
