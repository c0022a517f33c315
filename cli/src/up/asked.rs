//! Whether somebody asked us to stop.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Hears Ctrl-C and SIGTERM from when it is made: one that comes while nobody waits is kept.
pub(super) struct Asked {
    interrupt: Signal,
    terminate: Signal,
}

impl Asked {
    /// From now on neither signal ends the process by itself.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Resolves when we are asked to stop; again, when we are asked again.
    pub(super) async fn heard(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }
}
