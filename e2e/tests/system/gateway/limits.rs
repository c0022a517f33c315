//! Limits by address and by tenant.

use e2e::raw::connect;
use reqwest::{RequestBuilder, Response};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use super::{Fixture, client_at};

/// Sends all at once.
async fn flood(requests: impl IntoIterator<Item = RequestBuilder>) -> Vec<Response> {
    let mut sending = JoinSet::new();
    for request in requests {
        sending.spawn(async move { request.send().await.unwrap() });
    }
    sending.join_all().await
}

fn refused(answers: &[Response]) -> usize {
    answers
        .iter()
        .filter(|answer| answer.status() == 429)
        .count()
}

#[tokio::test]
async fn an_address_over_its_rate_waits_and_is_then_refused() {
    let fixture = Fixture::start(&[("GATEWAY_ADDRESS_RATE", "20")]).await;
    let client = client_at([127, 0, 2, 1]);
    let mut answers = flood((0..100).map(|_| client.get(fixture.url("/")))).await;
    let served = answers
        .iter()
        .filter(|answer| answer.status() == 200)
        .count();
    assert_eq!(served + refused(&answers), 100);
    assert!(served >= 20, "{served} were served");
    let other = client_at([127, 0, 2, 2]).get(fixture.url("/")).send().await;
    assert_eq!(other.unwrap().status(), 200);

    answers.retain(|answer| answer.status() == 429);
    let answer = answers.pop().expect("some are refused");
    for (name, value) in [
        ("retry-after", "1"),
        ("ratelimit-policy", "\"address\";q=20;w=1"),
        ("ratelimit", "\"address\";r=0;t=1"),
        ("content-type", "application/problem+json"),
    ] {
        assert_eq!(answer.headers()[name], value);
    }
    let problem: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(problem["type"], "/problems/rate-limited");
    assert_eq!(problem["detail"], "Try again in 1 s.");
    fixture.gateway.line("rate", "DELAYED").await;
}

/// Five requests under way: nginx has said that it waits for their bodies.
async fn five(fixture: &Fixture, from: [u8; 4], host: &str) -> Vec<TcpStream> {
    let mut under_way = Vec::new();
    for _ in 0..5 {
        let mut stream = connect(from, fixture.gateway.api).await.unwrap();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut said = [0; 12];
        stream.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, b"HTTP/1.1 100");
        under_way.push(stream);
    }
    under_way
}

#[tokio::test]
async fn an_address_and_a_tenant_have_so_many_requests_under_way() {
    for (setting, hindered, others) in [
        (
            "GATEWAY_ADDRESS_CONNECTIONS",
            ([127, 0, 2, 1], "globex.localhost"),
            ([127, 0, 2, 2], "acme.localhost"),
        ),
        (
            "GATEWAY_TENANT_CONNECTIONS",
            ([127, 0, 2, 2], "acme.localhost"),
            ([127, 0, 2, 1], "globex.localhost"),
        ),
    ] {
        let fixture = Fixture::start(&[(setting, "5")]).await;
        let _under_way = five(&fixture, [127, 0, 2, 1], "acme.localhost").await;
        let status = async |(from, host): ([u8; 4], &str)| {
            let request = client_at(from).get(fixture.url("/"));
            request.header("Host", host).send().await.unwrap().status()
        };
        assert_eq!(status(hindered).await, 429, "{setting}");
        assert_eq!(status(others).await, 200, "{setting}");
        fixture.gateway.line("connections", "REJECTED").await;
    }
}

#[tokio::test]
async fn four_tenants_that_hammer_do_not_hinder_a_fifth() {
    let settings = [("GATEWAY_ADDRESS_RATE", "0"), ("GATEWAY_TENANT_RATE", "20")];
    let fixture = Fixture::start(&settings).await;
    let named = |number: usize| {
        let tenant = number % 4;
        let last = u8::try_from(tenant + 1).unwrap();
        let request = client_at([127, 0, 2, last]).get(fixture.url("/"));
        request.header("X-Tenant-Slug", format!("tenant-{tenant}"))
    };
    let fifth = async {
        let client = client_at([127, 0, 0, 1]);
        for _ in 0..15 {
            let request = client
                .get(fixture.url("/"))
                .header("Host", "fifth.localhost");
            assert_eq!(request.send().await.unwrap().status(), 200);
        }
    };
    let (answers, ()) = tokio::join!(flood((0..400).map(named)), fifth);
    assert!(refused(&answers) > 0);
    let policy = "\"tenant\";q=20;w=1";
    let one = answers
        .iter()
        .find(|answer| answer.status() == 429)
        .unwrap();
    assert_eq!(one.headers()["ratelimit-policy"], policy);
}

/// Names that are made up, of every length, fill the table that tenants are counted in; those who
/// come after them are counted all the same, and not refused.
#[tokio::test]
async fn made_up_names_crowd_nobody_out() {
    let settings = [
        ("GATEWAY_ADDRESS_RATE", "0"),
        ("GATEWAY_LIMITS_MEMORY", "64k"),
    ];
    let fixture = Fixture::start(&settings).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let at = |host: String| client.get(fixture.url("/")).header("Host", host);
    for turn in 0..20 {
        let made_up = (0..200).map(|number| {
            let length = 1 + (turn * 200 + number) % 60;
            at(format!("{turn}-{number}.{}.example", "x".repeat(length)))
        });
        flood(made_up).await;
    }
    let later = flood((0..200).map(|number| at(format!("tenant-{number}.localhost")))).await;
    assert_eq!(refused(&later), 0);
    assert!(later.iter().all(|answer| answer.status() == 200));
}

#[tokio::test]
async fn nought_lifts_every_limit() {
    let settings = [
        ("GATEWAY_ADDRESS_RATE", "0"),
        ("GATEWAY_ADDRESS_CONNECTIONS", "0"),
        ("GATEWAY_TENANT_RATE", "0"),
        ("GATEWAY_TENANT_CONNECTIONS", "0"),
    ];
    let fixture = Fixture::start(&settings).await;
    let client = client_at([127, 0, 2, 1]);
    let named = |_| client.get(fixture.url("/tenants/acme/x"));
    let answers = flood((0..600).map(named)).await;
    assert!(answers.iter().all(|answer| answer.status() == 200));
}
