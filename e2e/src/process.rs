//! Programs that a test starts, and that are gone when it ends.

use std::{
    net::TcpListener,
    path::PathBuf,
    time::{Duration, Instant},
};

use tokio::process::{Child, Command};

/// How long anything may take to be ready, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A port of loopback that nobody listened on a moment ago.
#[must_use]
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// A program of this workspace, as the tests' build left it.
#[must_use]
pub fn built(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let path = own.parent().unwrap().parent().unwrap().join(name);
    assert!(
        path.exists(),
        "{} is not built: cargo build --workspace",
        path.display()
    );
    path
}

/// Where a program is on this machine.
#[must_use]
pub fn installed(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let beyond = [PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")];
    let mut places = std::env::split_paths(&path)
        .chain(beyond)
        .map(|place| place.join(name));
    places
        .find(|place| place.exists())
        .unwrap_or_else(|| panic!("{name} is not installed"))
}

/// Starts a program that ends with the test.
pub fn start(command: &mut Command) -> Child {
    command
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|cause| panic!("{command:?}: {cause}"))
}

/// Waits until something answers yes.
pub async fn until(what: &str, ready: impl AsyncFnMut() -> bool) {
    assert!(comes_true(ready).await, "{what}: not within {PATIENCE:?}");
}

/// Whether something answers yes before patience ends.
pub async fn comes_true(mut ready: impl AsyncFnMut() -> bool) -> bool {
    let started = Instant::now();
    while !ready().await {
        if started.elapsed() >= PATIENCE {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    true
}
