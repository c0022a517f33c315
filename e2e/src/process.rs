//! Programs that a test starts, and that are gone when it ends.

use std::{
    path::PathBuf,
    process::{Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, Command},
};

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

/// Runs a program to its end, which is to be a good one, with something on its standard input.
pub(crate) async fn run_with_input(command: &mut Command, input: &str) -> Output {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = start(piped.stderr(Stdio::piped()));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    let [said, fault] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{command:?}:\n{said}{fault}");
    output
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
