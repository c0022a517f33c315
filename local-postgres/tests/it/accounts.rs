//! The account that the server runs under: as root, and as an ordinary user.
//!
//! A test that cannot run on this machine prints `[skipped]` and the reason; the tally counts
//! it as skipped.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
    process::Command,
};

use local_postgres::{Server, start};
use rustix::process::geteuid;

use crate::{options, value};

#[tokio::test]
async fn as_root_below_a_directory_that_all_may_enter() {
    let Some(postgres) = postgres_user().filter(|_| geteuid().is_root()) else {
        eprintln!("[skipped] needs root and a user named postgres");
        return;
    };
    let parent = directory(0o755);
    let server = start(options(parent.path())).await.unwrap();
    assert_eq!(uid(&server), postgres);
    assert_eq!(value(&server.admin_url(), "SELECT 'here'").await, "here");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn as_root_below_a_directory_that_root_alone_may_enter() {
    if !geteuid().is_root() || !namespaces() {
        eprintln!("[skipped] needs root and user namespaces");
        return;
    }
    let parent = directory(0o700);
    let server = start(options(parent.path())).await.unwrap();
    assert_eq!(
        uid(&server),
        0,
        "seen from outside its namespace, it is root's"
    );
    assert_eq!(value(&server.admin_url(), "SELECT 'here'").await, "here");
    server.stop().await.unwrap();

    let server = start(options(parent.path())).await.unwrap();
    server.stop().await.unwrap();
}

/// Runs other tests of this program as an ordinary user.
#[test]
fn as_an_ordinary_user() {
    if !geteuid().is_root() {
        eprintln!("[skipped] not root: every other test here runs as an ordinary user already");
        return;
    }
    if !namespaces() {
        eprintln!("[skipped] needs user namespaces");
        return;
    }
    let mut tests = ordinary(std::env::current_exe().unwrap());
    tests.args([
        "--exact",
        "lifecycle::data_is_found_again_after_a_stop",
        "refusals::a_busy_port",
    ]);
    let output = tests.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("test result: ok. 2 passed"), "{said}");
}

fn directory(mode: u32) -> tempfile::TempDir {
    let mut builder = tempfile::Builder::new();
    builder
        .permissions(Permissions::from_mode(mode))
        .tempdir()
        .unwrap()
}

fn ordinary(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-user=65534", "--map-group=65534", "--"])
        .arg(program);
    command
}

fn namespaces() -> bool {
    ordinary("true")
        .status()
        .is_ok_and(|status| status.success())
}

fn postgres_user() -> Option<u32> {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with("postgres:"))?;
    line.split(':').nth(2)?.parse().ok()
}

/// Whose process the server is.
fn uid(server: &Server) -> u32 {
    fs::metadata(Path::new("/proc").join(server.process_id().to_string()))
        .unwrap()
        .uid()
}
