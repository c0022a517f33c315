//! Answers that are read slowly, and what they cost in memory.

use std::fs;

use testkit::{TestApp, database::connect, wait::until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The memory that this process has, in bytes.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes * 1024
}

/// 200 notes of 100,000 characters.
async fn fill(app: &TestApp) {
    let sql = "INSERT INTO tenant_acme.notes (title, body, created_at, updated_at) \
               SELECT repeat('t', 200), repeat('b', 100000), now(), now() \
               FROM generate_series(1, 200)";
    let admin = connect(&app.database.admin()).await.unwrap();
    admin.batch_execute(sql).await.unwrap();
}

#[tokio::test]
async fn a_page_ends_early_by_its_bytes_and_says_where_to_go_on() {
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "read").await;
    fill(&app).await;
    let wide = "UPDATE tenant_acme.notes SET title = repeat('\u{1F600}', 200), body = repeat('\u{1F600}', 300)";
    let admin = connect(&app.database.admin()).await.unwrap();
    admin.batch_execute(wide).await.unwrap();

    let (mut seen, mut query) = (0, "limit=200".to_owned());
    loop {
        let answer = ada.get(&format!("/api/notes?{query}")).await.expect(200);
        assert!(answer.body.len() < 300 * 1024, "{}", answer.body.len());
        let page = answer.json();
        let notes = page["notes"].as_array().unwrap();
        assert!((1..200).contains(&notes.len()), "{}", notes.len());
        assert_eq!(notes[0]["excerpt"].as_str().unwrap().chars().count(), 200);
        assert!(notes[0].get("body").is_none());
        seen += notes.len();
        match page["next"].as_str() {
            Some(next) => query = format!("limit=200&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, 200);
}

#[tokio::test]
async fn slow_readers_add_no_more_than_64_mib() {
    const READERS: usize = 64;
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "read").await;
    fill(&app).await;
    let address = app.serve().await;
    let head = |path: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nHost: acme.localhost\r\nAuthorization: Bearer {}\r\n\r\n",
            ada.token()
        )
    };
    let before = resident();
    let mut readers = Vec::new();
    for number in 0..READERS {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let path = if number % 2 == 0 {
            "/api/notes?limit=200".to_owned()
        } else {
            format!("/api/notes/{number}")
        };
        stream.write_all(head(&path).as_bytes()).await.unwrap();
        readers.push(stream);
    }
    // Each has the first byte of its answer, and takes no more.
    for stream in &mut readers {
        stream.read_u8().await.unwrap();
    }
    let added = resident().saturating_sub(before);
    assert!(added <= 64 * 1024 * 1024, "{} MiB", added / 1024 / 1024);

    // Whoever goes on reading gets the whole of it.
    let mut reader = readers.swap_remove(1);
    let mut answer = Vec::new();
    until("a whole answer", async || {
        let mut piece = vec![0; 64 * 1024];
        let read = reader.read(&mut piece).await.unwrap();
        answer.extend_from_slice(&piece[..read]);
        answer.len() > 100_000
    })
    .await;
}
