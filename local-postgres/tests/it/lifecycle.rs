//! Starting, stopping, and starting again.

use std::{fs, path::Path};

use local_postgres::{Error, Server, running, start};
use rustix::process::{Pid, Signal, kill_process};
use tokio_postgres::types::ToSql;

use crate::{connect, free_port, options, value};

#[tokio::test]
async fn data_is_found_again_after_a_stop() {
    let parent = tempfile::tempdir().unwrap();
    let server = start(options(parent.path())).await.unwrap();
    remember(&server).await;
    server.stop().await.unwrap();

    let server = start(options(parent.path())).await.unwrap();
    assert_eq!(recall(&server).await, "kept");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_crash_is_recovered_from() {
    let parent = tempfile::tempdir().unwrap();
    let mut durable = options(parent.path());
    durable.durability = local_postgres::Durability::Full;
    let server = start(durable.clone()).await.unwrap();
    remember(&server).await;
    kill_process(Pid::from_raw(server.process_id()).unwrap(), Signal::KILL).unwrap();
    server.ended().await;
    drop(server);

    let server = start(durable).await.unwrap();
    assert_eq!(recall(&server).await, "kept");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_id_of_a_crashed_server_may_be_anothers_by_now() {
    let parent = tempfile::tempdir().unwrap();
    start(options(parent.path()))
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    let ours = std::process::id();
    let stale = format!("{ours}\n/x\n1700000000\n5432\n/x\n\n  1 2\nready\n");
    fs::write(parent.path().join("data/postmaster.pid"), &stale).unwrap();
    fs::write(parent.path().join("run/.s.PGSQL.5432.lock"), stale).unwrap();

    start(options(parent.path()))
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_start_that_was_cut_off_is_begun_anew() {
    let parent = tempfile::tempdir().unwrap();
    fs::create_dir(parent.path().join("data.unfinished")).unwrap();
    fs::write(parent.path().join("data.unfinished/PG_VERSION"), "15\n").unwrap();

    start(options(parent.path()))
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
}

#[tokio::test]
async fn nobody_enters_without_the_password() {
    let parent = tempfile::tempdir().unwrap();
    let mut options = options(parent.path());
    options.port = Some(free_port());
    let server = start(options).await.unwrap();
    let port = server.port().unwrap();
    let tcp = format!("postgres://postgres:wrong@127.0.0.1:{port}/postgres");
    for url in [server.url("postgres", "wrong", "postgres"), tcp] {
        assert!(connect(&url).await.unwrap_err().as_db_error().is_some());
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_directory_too_deep_for_a_socket_is_served() {
    let parent = tempfile::tempdir().unwrap();
    let deep = parent.path().join("a".repeat(60)).join("b".repeat(60));
    let server = start(options(&deep)).await.unwrap();
    let elsewhere = server.socket_directory().to_owned();
    assert!(!elsewhere.starts_with(parent.path()));
    assert_eq!(value(&server.admin_url(), "SELECT 'here'").await, "here");
    server.stop().await.unwrap();
    assert!(!elsewhere.exists());
}

#[tokio::test]
async fn a_running_server_is_found_and_held() {
    let parent = tempfile::tempdir().unwrap();
    assert!(running(parent.path()).unwrap().is_none());
    let server = start(options(parent.path())).await.unwrap();
    let found = running(parent.path()).unwrap().unwrap();
    assert_eq!(found.admin_url(), server.admin_url());
    let second = start(options(parent.path())).await.unwrap_err();
    assert!(matches!(second, Error::InUse { .. }), "{second}");
    server.stop().await.unwrap();
    assert!(running(parent.path()).unwrap().is_none());
}

#[tokio::test]
async fn what_tenants_need_is_set() {
    let parent = tempfile::tempdir().unwrap();
    let server = start(options(parent.path())).await.unwrap();
    let url = server.admin_url();
    let expected = [
        ("server_encoding", "UTF8"),
        ("data_checksums", "on"),
        ("max_locks_per_transaction", "512"),
        ("recovery_init_sync_method", "syncfs"),
        ("password_encryption", "scram-sha-256"),
        ("listen_addresses", ""),
    ];
    for (name, wanted) in expected {
        assert_eq!(
            value(&url, &format!("SELECT current_setting('{name}')")).await,
            wanted
        );
    }
    let collation = "SELECT datcollate FROM pg_database WHERE datname = 'postgres'";
    assert_eq!(value(&url, collation).await, "C.UTF-8");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_log_holds_nothing_of_what_the_server_is_asked() {
    let parent = tempfile::tempdir().unwrap();
    let server = start(options(parent.path())).await.unwrap();
    let client = connect(&server.admin_url()).await.unwrap();
    client
        .batch_execute("CREATE TABLE people (email text PRIMARY KEY CHECK (email <> ''))")
        .await
        .unwrap();
    let person: [&(dyn ToSql + Sync); 1] = [&"ada@acme.example"];
    let add = "INSERT INTO people VALUES ($1)";
    client.execute(add, &person).await.unwrap();
    client.execute(add, &person).await.unwrap_err();
    for sql in [
        "SELECT 'ada@acme.example'::int",
        "INSERT INTO people VALUES ('ada@acme.example')",
        "SELECT * FROM ada@acme.example",
    ] {
        client.batch_execute(sql).await.unwrap_err();
    }
    server.stop().await.unwrap();
    let log = fs::read_to_string(parent.path().join("postgres.log")).unwrap();
    assert!(log.contains("database system is ready"), "{log}");
    assert!(!log.contains("ada") && !log.contains("127.0.0.1"), "{log}");
}

#[tokio::test]
async fn a_dropped_server_ends() {
    let parent = tempfile::tempdir().unwrap();
    let server = start(options(parent.path())).await.unwrap();
    let process = format!("/proc/{}", server.process_id());
    drop(server);
    let ended = async {
        while Path::new(&process).exists() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), ended)
        .await
        .unwrap();
}

async fn remember(server: &Server) {
    let client = connect(&server.admin_url()).await.unwrap();
    let sql = "CREATE TABLE memory (word text); INSERT INTO memory VALUES ('kept')";
    client.batch_execute(sql).await.unwrap();
}

async fn recall(server: &Server) -> String {
    value(&server.admin_url(), "SELECT word FROM memory").await
}
