//! What is refused, and whether the refusal says what to do.

use std::{fs, net::TcpListener};

use local_postgres::{Error, find_binaries, start};

use crate::options;

#[tokio::test]
async fn data_of_another_version() {
    let parent = tempfile::tempdir().unwrap();
    let mut options = options(parent.path());
    let found = find_binaries(options.binaries.as_deref()).unwrap();
    options.binaries = Some(found.directory().to_owned());
    fs::create_dir(parent.path().join("data")).unwrap();
    fs::write(parent.path().join("data/PG_VERSION"), "12\n").unwrap();

    let refused = start(options).await.unwrap_err().to_string();
    let named = [
        "PostgreSQL 12",
        &format!("PostgreSQL {}", found.major()),
        "pg_upgrade",
    ];
    assert!(named.iter().all(|part| refused.contains(part)), "{refused}");
}

#[tokio::test]
async fn a_busy_port() {
    let parent = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut options = options(parent.path());
    options.port = Some(port);

    let refused = start(options).await.unwrap_err().to_string();
    assert!(
        refused.contains(&port.to_string()) && refused.contains("POSTGRES_PORT"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_directory_that_cannot_be_made() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();

    let refused = start(options(&file.join("below"))).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Files { path, .. } if path.starts_with(&file)),
        "{refused}"
    );
}

#[tokio::test]
async fn a_setting_that_does_not_exist_is_quoted_from_the_log() {
    let parent = tempfile::tempdir().unwrap();
    let mut options = options(parent.path());
    options
        .settings
        .push(("no_such_setting".to_owned(), "1".to_owned()));

    let refused = start(options).await.unwrap_err();
    assert!(matches!(&refused, Error::Start { tail, .. } if tail.contains("no_such_setting")));
}

#[tokio::test]
async fn data_whose_password_is_lost() {
    let parent = tempfile::tempdir().unwrap();
    start(options(parent.path()))
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    fs::remove_dir_all(parent.path().join("secrets")).unwrap();

    let refused = start(options(parent.path())).await.unwrap_err();
    assert!(matches!(refused, Error::NoPassword { .. }), "{refused}");
}
