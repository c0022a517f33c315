//! Clients that send a request by the byte.

use e2e::{process::until, raw::connect};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::Fixture;

const HEADS: u16 = 2000;
const BODIES: u16 = 100;

/// A connection that has begun a request and goes no further.
async fn begin(fixture: &Fixture, number: u16, text: &str) -> TcpStream {
    let [high, low] = (number / 250).to_be_bytes();
    let host = u8::try_from(number % 250 + 1).unwrap();
    assert_eq!(high, 0);
    let mut stream = connect([127, 0, 1 + low, host], fixture.gateway.api)
        .await
        .unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn two_thousand_slow_connections_hinder_nobody_and_are_closed() {
    let fixture = Fixture::start(&[("CLIENT_TIMEOUT_SECONDS", "6")]).await;
    let mut slow = Vec::new();
    for number in 0..HEADS {
        slow.push(
            begin(
                &fixture,
                number,
                "GET /slow HTTP/1.1\r\nHost: localhost\r\nX-",
            )
            .await,
        );
    }
    for number in 0..BODIES {
        let head = "POST /slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx";
        slow.push(begin(&fixture, number, head).await);
    }
    until("nginx has all of them", async || {
        fixture.gateway.connections().await > slow.len()
    })
    .await;

    let client = super::client_at([127, 0, 0, 1]);
    for number in 0..300 {
        let answer = client.get(fixture.url(&format!("/{number}"))).send().await;
        assert_eq!(answer.unwrap().status(), 200, "request {number}");
    }
    for stream in &mut slow {
        // Reset or closed: nobody who was too slow is answered.
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    }
    assert!(
        fixture
            .recorder
            .seen()
            .iter()
            .all(|seen| seen.target() != "/slow")
    );
}
