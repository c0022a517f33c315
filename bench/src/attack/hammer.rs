//! A tenant's clients that ask again as soon as they are answered.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Args;
use tokio::{task::JoinSet, time::timeout};

use super::wire::Connection;

/// The variable with the request, which holds a token.
pub(super) const REQUEST: &str = "BENCH_REQUEST";

/// How many, how long, and against whom.
#[derive(Args, Debug)]
pub(crate) struct Hammer {
    #[arg(long)]
    port: u16,
    /// Addresses are 127.0.NETWORK.x
    #[arg(long)]
    network: u8,
    #[arg(long)]
    connections: u8,
    #[arg(long)]
    seconds: u64,
}

#[derive(Default)]
struct Counts {
    answered: AtomicU64,
    refused: AtomicU64,
}

/// What came of it.
#[derive(Debug, PartialEq)]
pub(super) struct Managed {
    pub(super) answered: u64,
    pub(super) refused: u64,
}

impl Managed {
    pub(super) fn read(text: &str) -> anyhow::Result<Self> {
        let mut numbers = text.split_whitespace().map(str::parse);
        let mut next =
            || -> anyhow::Result<u64> { Ok(numbers.next().context("a number of requests")??) };
        Ok(Self {
            answered: next()?,
            refused: next()?,
        })
    }
}

impl Hammer {
    /// Sends for as long as it was told, then prints how many were answered and how many refused.
    pub(crate) async fn run(&self) -> anyhow::Result<()> {
        let request = Arc::new(std::env::var(REQUEST).context(REQUEST)?.into_bytes());
        let counts = Arc::new(Counts::default());
        let mut asking = JoinSet::new();
        for number in 1..=self.connections {
            let (request, counts) = (Arc::clone(&request), Arc::clone(&counts));
            let (from, port) = ([127, 0, self.network, number], self.port);
            asking.spawn(async move {
                loop {
                    if let Ok(odd) = hammer(from, port, &request, &counts).await {
                        return odd;
                    }
                    // A connection that was closed is opened again.
                    tokio::task::yield_now().await;
                }
            });
        }
        let time = Duration::from_secs(self.seconds);
        if let Ok(Some(odd)) = timeout(time, asking.join_next()).await {
            bail!("neither answered nor refused, but {}", odd?);
        }
        let [answered, refused] =
            [&counts.answered, &counts.refused].map(|count| count.load(Ordering::Relaxed));
        println!("{answered} {refused}");
        Ok(())
    }
}

/// Asks until the connection is closed, or until a status comes that is no answer and no refusal.
async fn hammer(from: [u8; 4], port: u16, request: &[u8], counts: &Counts) -> io::Result<u16> {
    let mut connection = Connection::open(from, port).await?;
    loop {
        let count = match connection.ask(request).await? {
            200 => &counts.answered,
            429 => &counts.refused,
            odd => return Ok(odd),
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_prints_is_read() {
        let managed = Managed {
            answered: 12,
            refused: 3,
        };
        assert_eq!(Managed::read("12 3\n").unwrap(), managed);
        assert!(Managed::read("12").is_err());
    }
}
