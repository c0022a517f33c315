//! Changes while it serves: its own configuration, and who is behind it.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use e2e::{
    gateway::{Behind, Gateway},
    process::until,
    recorder::{Recorder, answer},
};
use tokio::task::JoinSet;

use super::{Fixture, client_at, tls};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_it_reads_its_configuration_again() {
    let fixture = Fixture::start(&[("GATEWAY_ADDRESS_RATE", "0")]).await;
    let (over, done) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let mut asking = JoinSet::new();
    for number in 1..=4 {
        let (over, done, url) = (Arc::clone(&over), Arc::clone(&done), fixture.url("/"));
        asking.spawn(async move {
            let client = client_at([127, 0, 2, number]);
            while !over.load(Ordering::Relaxed) {
                let answer = client.get(&url).send().await;
                assert_eq!(answer.expect("an answer").status(), 200);
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    for _ in 0..6 {
        let before = done.load(Ordering::Relaxed);
        fixture.gateway.reload();
        until("requests after a reload", async || {
            done.load(Ordering::Relaxed) > before + 100
        })
        .await;
    }
    over.store(true, Ordering::Relaxed);
    asking.join_all().await;
}

#[tokio::test]
async fn a_service_that_comes_back_is_used_again() {
    let fixture = Fixture::start(&[]).await;
    let client = client_at([127, 0, 0, 1]);
    let status = async || {
        let answer = client.get(fixture.url("/")).send().await.unwrap();
        answer.status()
    };
    assert_eq!(status().await, 200);
    let port = fixture.recorder.port;
    fixture.recorder.hang_up().await;
    assert_eq!(status().await, 503);
    let _back = Recorder::answering(port, |_| answer(200, &[], "back")).await;
    until("it serves again", async || status().await == 200).await;
}

/// Docker forgets the name of a container that has stopped.
#[tokio::test]
async fn a_service_without_an_address_keeps_no_other_from_serving() {
    let fixture = Fixture::start(&[("PAGES_UPSTREAM", "stopped.invalid:8000")]).await;
    let client = client_at([127, 0, 0, 1]);
    let at = |port: u16| format!("http://127.0.0.1:{port}/");
    for (port, status) in [(fixture.gateway.api, 200), (fixture.gateway.pages, 503)] {
        let answer = client.get(at(port)).send().await.unwrap();
        assert_eq!(answer.status(), status);
    }
}

#[tokio::test]
async fn the_watch_takes_what_is_good_and_tells_of_what_is_not() {
    let directory = super::directory();
    let (copy, certificates) = (
        directory.path().join("copy"),
        directory.path().join("given"),
    );
    tls::issue(&certificates, "one.example", &["one.example"]);
    let recorder = Recorder::start().await;
    let behind = Behind(recorder.port, recorder.port, recorder.port);
    let settings = [("CERTIFICATES", certificates.to_str().unwrap())];
    let gateway = Gateway::watched(directory.path(), behind, &settings, &copy).await;

    let pages = fs::read_to_string(copy.join("pages.conf")).unwrap();
    fs::write(copy.join("pages.conf"), format!("{pages}nonsense;\n")).unwrap();
    until("a complaint", async || {
        gateway.complaints().contains("stays as it was")
    })
    .await;
    assert!(gateway.complaints().contains("nonsense"));
    let url = format!("http://127.0.0.1:{}/", gateway.pages);
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 200);

    fs::write(copy.join("pages.conf"), pages).unwrap();
    tls::issue(&certificates, "two.example", &["two.example"]);
    let trusted = certificates.join("two.example/fullchain.pem");
    let two = format!("https://two.example:{}/", gateway.api_tls);
    until("the new certificate", async || {
        tls::curl(&two, &trusted, &[]).await.code == 0
    })
    .await;
}
