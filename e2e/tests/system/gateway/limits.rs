//! Limits by address and by tenant.

use e2e::{process::until, raw::connect};
use reqwest::{RequestBuilder, Response};
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinSet};

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
    assert_eq!(problem["detail"], "Come back in 1 s.");
    let lines = fixture.gateway.log();
    let delayed = lines
        .iter()
        .filter(|line| line["rate"] == "DELAYED")
        .count();
    assert!(delayed > 0, "nobody had to wait");
}

/// Five requests under way: their bodies are not there yet.
async fn five(fixture: &Fixture, from: [u8; 4], host: &str) -> Vec<TcpStream> {
    let mut under_way = Vec::new();
    for _ in 0..5 {
        let mut stream = connect(from, fixture.gateway.api).await.unwrap();
        let head = format!("POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 9\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
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
        until("a refusal", async || status(hindered).await == 429).await;
        assert_eq!(status(others).await, 200, "{setting}");
        let lines = fixture.gateway.log();
        assert!(lines.iter().any(|line| line["connections"] == "REJECTED"));
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
