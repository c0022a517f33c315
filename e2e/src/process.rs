//! Programs that a test starts, and that are gone when it ends.

use std::{
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

pub use testkit::{
    port::free_port,
    wait::{comes_true, until},
};

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

/// Asks a program to stop and gives it ten seconds, for when nothing can be awaited.
pub(crate) fn end(process: &mut Child) {
    let id = process.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    if let Some(id) = id {
        let _ = kill_process(id, Signal::TERM);
    }
    let asked = Instant::now();
    while matches!(process.try_wait(), Ok(None)) && asked.elapsed() < Duration::from_secs(10) {
        thread::sleep(Duration::from_millis(10));
    }
}
