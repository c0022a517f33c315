//! Programs that a test starts, and that are gone when it ends.

use std::{
    net::TcpListener,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tokio::process::{Child, Command};

/// How long anything may take to be ready, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A port of loopback that nobody listened on a moment ago, and that this process is not given
/// again. Below those that the system gives to connections, which come and go by the thousand; and
/// each process has some of its own, for tests run side by side.
#[must_use]
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(40);
    loop {
        let place = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 22_000;
        let port = 10_000 + u16::try_from(place).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
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
