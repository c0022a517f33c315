//! `with-postgres [--] COMMAND ARGUMENT…`: runs a command beside a PostgreSQL of its own.
//!
//! The command finds the server's admin URL in `TEST_DATABASE_URL`. The server is stopped and
//! its data removed when the command ends; the exit code is the command's.

use std::{
    io::{self, IsTerminal as _},
    os::unix::process::ExitStatusExt as _,
    process::{ExitCode, ExitStatus},
};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use testkit::server::{DATABASE_URL, scratch};
use tokio::{
    process::{Child, Command},
    signal::unix::{self, SignalKind},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = std::env::args_os()
        .skip(1)
        .skip_while(|first| first == "--");
    let program = arguments
        .next()
        .context("usage: with-postgres [--] COMMAND ARGUMENT…")?;
    let mut signals = Signals::listen()?;
    let server = scratch().await?;
    let mut command = Command::new(&program);
    command
        .args(arguments)
        .env(DATABASE_URL, server.admin_url());
    let ended = match command.spawn() {
        Ok(child) => signals.wait(child).await,
        Err(cause) => Err(cause),
    };
    server.stop().await?;
    let status = ended.with_context(|| format!("cannot run {}", program.display()))?;
    Ok(ExitCode::from(code(status)))
}

/// The code that a shell would give for the status.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| Some(128 + status.signal()?));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// The signals that ask for an end, listened to from the start so that the server is stopped
/// whenever they come.
struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hang_up: unix::Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: unix::signal(SignalKind::interrupt())?,
            terminate: unix::signal(SignalKind::terminate())?,
            hang_up: unix::signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the command, passing on the signals that come meanwhile.
    async fn wait(&mut self, mut child: Child) -> io::Result<ExitStatus> {
        let pid = child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        // A terminal sends its Ctrl-C to the command as well; twice would mean 'at once'.
        let terminal = io::stdin().is_terminal();
        loop {
            let signal = tokio::select! {
                status = child.wait() => return status,
                _ = self.interrupt.recv() => (!terminal).then_some(Signal::INT),
                _ = self.terminate.recv() => Some(Signal::TERM),
                _ = self.hang_up.recv() => Some(Signal::HUP),
            };
            if let (Some(pid), Some(signal)) = (pid, signal) {
                let _ = kill_process(pid, signal);
            }
        }
    }
}
