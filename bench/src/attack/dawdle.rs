//! Clients that never finish a request's head (slowloris): each is sent on by a line now and then,
//! and begun anew when it was cut off.

use std::time::Duration;

use clap::Args;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinSet,
};

use super::wire::connect;

/// Between two lines of one connection.
const PAUSE: Duration = Duration::from_secs(2);
/// Connections of one address.
const EACH: usize = 8;

/// How many, and against whom.
#[derive(Args, Debug)]
pub(crate) struct Dawdle {
    #[arg(long)]
    port: u16,
    #[arg(long)]
    connections: usize,
}

impl Dawdle {
    /// Goes on until it is ended.
    pub(crate) async fn run(&self) {
        more_descriptors();
        let mut slow = JoinSet::new();
        for number in 0..self.connections {
            let (address, port) = (address(number), self.port);
            slow.spawn(async move {
                loop {
                    // Refused or cut off: that is what it is for.
                    let _ = dawdle(address, port).await;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            });
        }
        slow.join_all().await;
    }
}

/// 127.0.1.x and on.
fn address(number: usize) -> [u8; 4] {
    let number = number / EACH;
    [127, 0, (1 + number / 250) as u8, (1 + number % 250) as u8]
}

async fn dawdle(from: [u8; 4], port: u16) -> std::io::Result<()> {
    let mut stream = connect(from, port).await?;
    stream
        .write_all(b"GET /api/ping HTTP/1.1\r\nHost: localhost\r\n")
        .await?;
    let mut cut_off = [0; 1];
    loop {
        match tokio::time::timeout(PAUSE, stream.read(&mut cut_off)).await {
            Ok(_) => return Ok(()),
            Err(_) => stream.write_all(b"X-A: b\r\n").await?,
        }
    }
}

/// As many files as this process may ever open.
fn more_descriptors() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_connections_come_from_one_address_and_none_from_the_modest_client() {
        let all: Vec<_> = (0..2000).map(address).collect();
        assert!(
            all.iter()
                .all(|of| all.iter().filter(|other| *other == of).count() == EACH)
        );
        assert!(all.iter().all(|of| of[..3] != [127, 0, 0]));
    }
}
