//! Ports for servers that a test starts.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU32, Ordering},
};

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
