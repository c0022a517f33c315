//! Requests that two readers may cut in different places. Whoever is behind the gateway never sees
//! the second one that hides in them.

use e2e::{raw::send, recorder::Seen};

use super::Fixture;

/// What hides in every probe.
const HIDDEN: &str = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Name, head after `Host`, and body.
fn probes() -> Vec<(&'static str, String, String)> {
    let hidden = HIDDEN;
    let chunked = format!("0\r\n\r\n{hidden}");
    let length = chunked.len();
    let declared = |header: &str| format!("{header}\r\nContent-Length: {length}");
    let mut probes = Vec::new();
    for (name, header) in [
        ("CL and TE", "Transfer-Encoding: chunked"),
        (
            "TE with a space before the colon",
            "Transfer-Encoding : chunked",
        ),
        ("TE of another name", "Transfer-Encoding: xchunked"),
        ("TE behind a tab", "Transfer-Encoding:\tchunked"),
        ("TE behind a vertical tab", "Transfer-Encoding: \x0bchunked"),
        (
            "TE twice",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        ),
        (
            "TE twice, differing",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        ),
        ("TE in a list", "Transfer-Encoding: identity, chunked"),
        (
            "TE in a list, backwards",
            "Transfer-Encoding: chunked, identity",
        ),
        ("TE folded", "Transfer-Encoding:\r\n chunked"),
        ("TE quoted", "Transfer-Encoding: \"chunked\""),
        ("TE with an underscore", "Transfer_Encoding: chunked"),
        (
            "TE in the value before",
            "X-None: x\nTransfer-Encoding: chunked",
        ),
        (
            "TE behind a bare CR",
            "X-None: x\rTransfer-Encoding: chunked",
        ),
        ("TE behind NUL", "X-None: x\0\r\nTransfer-Encoding: chunked"),
        ("TE with a capital", "transfer-encoding: CHUNKED"),
        ("TE with a comma", "Transfer-Encoding: chunked,"),
        ("TE with a parameter", "Transfer-Encoding: chunked;q=1"),
    ] {
        probes.push((name, declared(header), chunked.clone()));
        probes.push((name, header.to_owned(), chunked.clone()));
    }
    for (name, lengths) in [
        (
            "CL twice",
            vec![
                "Content-Length: 0".to_owned(),
                format!("Content-Length: {}", hidden.len()),
            ],
        ),
        (
            "CL twice, the same",
            vec!["Content-Length: 0".to_owned(); 2],
        ),
        (
            "CL in a list",
            vec![format!("Content-Length: 0, {}", hidden.len())],
        ),
        ("CL with a plus", vec!["Content-Length: +0".to_owned()]),
        ("CL with a minus", vec!["Content-Length: -0".to_owned()]),
        ("CL with a space", vec!["Content-Length: 0 0".to_owned()]),
        (
            "CL with a space before the colon",
            vec!["Content-Length : 5".to_owned()],
        ),
        ("CL in hex", vec!["Content-Length: 0x0".to_owned()]),
        ("CL with a point", vec!["Content-Length: 0.0".to_owned()]),
        ("CL empty", vec!["Content-Length:".to_owned()]),
        (
            "CL too large to count",
            vec!["Content-Length: 18446744073709551616".to_owned()],
        ),
        ("CL folded", vec!["Content-Length:\r\n 5".to_owned()]),
    ] {
        probes.push((name, lengths.join("\r\n"), hidden.to_owned()));
    }
    for (name, body) in [
        (
            "chunk too large to count",
            format!("FFFFFFFFFFFFFFFFFF\r\n{hidden}"),
        ),
        (
            "chunk that wraps around",
            format!("10000000000000000\r\n{hidden}"),
        ),
        ("chunk of a negative size", format!("-1\r\n{hidden}")),
        ("chunk in 0x", format!("0x0\r\n\r\n{hidden}")),
        ("chunk with a bad end", format!("1\r\nxX{hidden}")),
        ("chunk without an end", format!("1\r\nx0\r\n\r\n{hidden}")),
        ("chunk size behind a space", format!(" 0\r\n\r\n{hidden}")),
        ("chunk size of nothing", format!("\r\n\r\n{hidden}")),
    ] {
        probes.push((name, "Transfer-Encoding: chunked".to_owned(), body));
    }
    probes
}

async fn nothing_passes(fixture: &Fixture, name: &str, request: &str) {
    let before = fixture.recorder.seen().len();
    let answer = send(fixture.gateway.api, request.as_bytes()).await;
    let seen = &fixture.recorder.seen()[before..];
    assert!(seen.len() <= 1, "{name}: {request:?} became {seen:?}");
    for seen in seen {
        assert!(
            !seen.target().starts_with("/smuggled"),
            "{name}: {request:?} answered {answer:?}, seen {seen:?}"
        );
    }
}

#[tokio::test]
async fn no_probe_brings_a_second_request() {
    let fixture = Fixture::start(&[("CLIENT_TIMEOUT_SECONDS", "1")]).await;
    for (name, head, body) in probes() {
        for version in ["1.1", "1.0"] {
            let request = format!(
                "POST /probe HTTP/{version}\r\nHost: localhost\r\n{head}\r\nConnection: close\r\n\r\n{body}"
            );
            nothing_passes(&fixture, name, &request).await;
        }
    }
}

#[tokio::test]
async fn a_second_request_would_be_seen() {
    let fixture = Fixture::start(&[]).await;
    let first = "POST /probe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    let second = HIDDEN.replace("localhost", "localhost\r\nConnection: close");
    send(fixture.gateway.api, format!("{first}{second}").as_bytes()).await;
    let seen = fixture.recorder.seen();
    let targets: Vec<_> = seen.iter().map(Seen::target).collect();
    assert_eq!(targets, ["/probe", "/smuggled"]);
}

/// Heads alone that some reader may see two requests in.
const HEADS: &[&str] = &[
    "GET /probe HTTP/1.1\r\nHost: localhost\r\nX: y\r\rGET /smuggled HTTP/1.1\r\nConnection: close\r\n\r\n",
    "GET /probe HTTP/1.1\nHost: localhost\nX: y\n GET /smuggled HTTP/1.1\nConnection: close\n\n",
    "GET /probe HTTP/1.1\r\nHost: localhost\r\nX: y\r\n\tGET /smuggled HTTP/1.1\r\nConnection: close\r\n\r\n",
    "GET /probe?\0/smuggled HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "GET /probe HTTP/1.1\r\nHost: localhost\r\nX: \0\r\nConnection: close\r\n\r\n",
    "GET /probe HTTP/1.1 GET /smuggled HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "GET /probe\rGET /smuggled HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "GET http://localhost/smuggled@evil/ HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n",
    "GET http://evil/smuggled HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "GET  /smuggled HTTP/0.9\r\n\r\n",
    "GET /smuggled\r\n\r\n",
    "GET /smuggled HTTP/1.1\r\n\r\n",
    "GET /smuggled HTTP/2.0\r\nHost: localhost\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "GET /smuggled HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
];

#[tokio::test]
async fn no_head_is_read_in_two_ways() {
    let fixture = Fixture::start(&[("CLIENT_TIMEOUT_SECONDS", "1")]).await;
    for head in HEADS {
        nothing_passes(&fixture, "head", head).await;
    }
}

#[tokio::test]
async fn a_connection_is_not_handed_over_to_another_protocol() {
    let fixture = Fixture::start(&[]).await;
    for (upgrade, with) in [("h2c", "Upgrade, HTTP2-Settings"), ("websocket", "Upgrade")] {
        let request = format!(
            "GET /probe HTTP/1.1\r\nHost: localhost\r\nUpgrade: {upgrade}\r\n\
             HTTP2-Settings: AAMAAABkAAQAAP__\r\nConnection: close, {with}\r\n\r\n"
        );
        let answer = send(fixture.gateway.api, request.as_bytes()).await;
        assert_eq!(answer.status(), 200);
        let seen = fixture.recorder.last();
        assert!(seen.all("Upgrade").is_empty(), "{}", seen.head());
        assert!(seen.all("Connection").is_empty(), "{}", seen.head());
    }
}
