//! Keeping the server's process.
//!
//! The process is started and waited for by a thread of its own. Linux ties a child's
//! parent-death signal to the *thread* that started it; a thread of an async runtime may end
//! long before the program does, this one ends with the server or with the program.

use std::{
    io,
    process::{Command, ExitStatus},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;

/// A running process that is told to end when this value goes.
#[derive(Debug)]
pub(crate) struct Keeper {
    pid: Pid,
    ended: watch::Receiver<Option<ExitStatus>>,
}

impl Keeper {
    /// Starts a process.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        let (told, hear) = mpsc::sync_channel(1);
        let (tell, ended) = watch::channel(None);
        let keep = move || match command.spawn() {
            Ok(mut child) => {
                let _ = told.send(Ok(child.id()));
                let status = child.wait().unwrap_or_default();
                tell.send_replace(Some(status));
            }
            Err(cause) => {
                let _ = told.send(Err(cause));
            }
        };
        thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(keep)?;
        let id = hear.recv().map_err(io::Error::other)??;
        let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
        Ok(Self {
            pid: pid.ok_or_else(|| io::Error::other("no process id"))?,
            ended,
        })
    }

    pub(crate) const fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    pub(crate) fn alive(&self) -> bool {
        self.ended.borrow().is_none()
    }

    /// Sends a signal, unless the process has ended.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.alive() {
            let _ = kill_process(self.pid, signal);
        }
    }

    /// Waits until the process has ended; whether it did within the limit.
    pub(crate) async fn ended_within(&self, limit: Duration) -> bool {
        tokio::time::timeout(limit, self.ended()).await.is_ok()
    }

    /// Resolves when the process has ended.
    pub(crate) async fn ended(&self) {
        // An error means that the keeping thread is gone, and the process with it.
        let _ = self.ended.clone().wait_for(Option::is_some).await;
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.signal(Signal::INT);
    }
}
