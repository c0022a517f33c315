//! The runner: what it gives to the command, what it passes on, and that it leaves nothing.

#![allow(clippy::unwrap_used)]

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// Says where the server is, then waits for us to close its input, or to end.
const WAIT: &str = "echo \"$TEST_DATABASE_URL\"; exec cat";

fn runner(script: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_with-postgres"));
    command
        .args(["--", "sh", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

#[test]
fn the_commands_code_is_the_runners() {
    assert_eq!(runner("exit 7").status().unwrap().code(), Some(7));
    assert_eq!(
        runner("kill -KILL $$").status().unwrap().code(),
        Some(128 + 9)
    );
}

#[test]
fn a_signal_ends_the_command_then_the_server_and_its_data() {
    let (mut child, directory) = waiting();
    // Kept open: `wait` would close it, and the command would end by itself.
    let _input = child.stdin.take();
    signal(&child, Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
    assert!(!Path::new(&directory).exists());
}

#[test]
fn a_killed_runners_server_ends_by_itself() {
    let (mut child, directory) = waiting();
    let pid_file = Path::new(&directory).join("data/postmaster.pid");
    let text = std::fs::read_to_string(&pid_file).unwrap();
    let server = Path::new("/proc").join(text.lines().next().unwrap());
    assert!(server.exists());
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    let started = Instant::now();
    while server.exists() {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "the server runs on"
        );
        thread::sleep(Duration::from_millis(20));
    }
    assert!(!pid_file.exists(), "it was not shut down in order");
    // Another run may have swept it up by now.
    let _ = std::fs::remove_dir_all(directory);
}

/// A runner whose command waits, and the directory of its server.
fn waiting() -> (Child, String) {
    let mut child = runner(WAIT).spawn().unwrap();
    let url = line(child.stdout.take().unwrap());
    let host = url.split_once('@').unwrap().1.split(':').next().unwrap();
    let sockets = host.replace("%2F", "/");
    (child, sockets.strip_suffix("/run").unwrap().to_owned())
}

fn line(output: ChildStdout) -> String {
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).unwrap();
    line
}

fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    kill_process(pid.unwrap(), signal).unwrap();
}
