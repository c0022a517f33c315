//! Child processes: those that serve until they are dropped, and those that run to their end.
//!
//! Each gets a process group of its own, so that Ctrl-C in a terminal reaches the bench alone and
//! the bench ends its children in order. A child is ended by its own id, never by name.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::{Child, Command};

/// How long a service may take to stop before it is killed: longer than any drain.
const GRACE: Duration = Duration::from_secs(30);
/// Between two looks at a condition.
const LOOK: Duration = Duration::from_millis(50);

/// This program, which is started again for what has to be a process of its own.
pub(crate) fn own_program() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("this program's own path")
}

/// A child that serves until it is dropped; dropping waits until it has gone.
pub(crate) struct Service {
    name: &'static str,
    child: Child,
    log: PathBuf,
    stop: Signal,
}

impl Service {
    /// Starts a child whose output goes to a log file.
    pub(crate) fn start(
        name: &'static str,
        command: &mut Command,
        log: PathBuf,
    ) -> anyhow::Result<Self> {
        let output = File::create(&log).with_context(|| format!("creating {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        Ok(Self {
            name,
            child,
            log,
            stop: Signal::TERM,
        })
    }

    /// The same, asked to stop by another signal than SIGTERM.
    pub(crate) fn stopped_by(mut self, stop: Signal) -> Self {
        self.stop = stop;
        self
    }

    /// The child's process id, or `None` once it has ended.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits until the condition holds; fails with the log's end when the child ends first.
    pub(crate) async fn ready(
        &mut self,
        patience: Duration,
        condition: impl AsyncFn() -> bool,
    ) -> anyhow::Result<()> {
        let started = Instant::now();
        while !condition().await {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}:\n{}", self.name, tail(&self.log));
            }
            if started.elapsed() > patience {
                bail!(
                    "{} was not ready in {patience:?}:\n{}",
                    self.name,
                    tail(&self.log)
                );
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let Some(pid) = self.child.id().and_then(pid) else {
            return;
        };
        let _ = kill_process(pid, self.stop);
        let asked = Instant::now();
        while let Ok(None) = self.child.try_wait() {
            if asked.elapsed() > GRACE {
                eprintln!("bench: {} did not stop when asked; killing it", self.name);
                let _ = kill_process_group(pid, Signal::KILL);
                let _ = self.child.start_kill();
                return;
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// Runs a command to its end and returns what it printed. A dropped future ends it and whatever
/// it has started in turn.
pub(crate) async fn output(command: &mut Command) -> anyhow::Result<String> {
    let shown = format!("{:?}", command.as_std().get_program());
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .with_context(|| format!("starting {shown}"))?;
    let mut group = Group(child.id().and_then(pid));
    let done = child.wait_with_output().await?;
    group.0 = None;
    if done.status.success() {
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&done.stderr);
        bail!("{shown} ended with {}:\n{}", done.status, last_lines(&said));
    }
}

/// The process group of a running command, ended when dropped.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            let _ = kill_process_group(leader, Signal::TERM);
        }
    }
}

fn pid(id: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(id).ok()?)
}

fn tail(log: &Path) -> String {
    last_lines(&std::fs::read_to_string(log).unwrap_or_default())
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_service_that_ends_early_shows_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo out of luck; exit 3"]);
        let mut service = Service::start("sh", &mut command, folder.path().join("log")).unwrap();
        let fault = service
            .ready(GRACE, async || false)
            .await
            .unwrap_err()
            .to_string();
        assert!(fault.contains("out of luck"), "{fault}");
    }

    #[tokio::test]
    async fn a_dropped_service_has_gone() {
        let folder = tempfile::tempdir().unwrap();
        let service = Service::start(
            "sleep",
            Command::new("sleep").arg("600"),
            folder.path().join("log"),
        )
        .unwrap();
        let id = service.id().unwrap();
        drop(service);
        assert!(!Path::new(&format!("/proc/{id}/exe")).exists());
    }

    #[tokio::test]
    async fn a_failed_command_says_why() {
        let fault = output(Command::new("sh").args(["-c", "echo no such thing >&2; exit 1"]))
            .await
            .unwrap_err();
        assert!(fault.to_string().contains("no such thing"), "{fault}");
    }
}
