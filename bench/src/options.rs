//! What can be asked of the bench on its command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::{attack, fleet, limits, rows};

/// Puts this product beside the limits of the machine and its peers, as ratios taken in one run.
#[derive(Debug, Parser)]
#[command(
    name = "bench",
    after_help = "Example: cargo run --release -p bench -- --quick --no-peers"
)]
pub struct Cli {
    /// What to measure, and how long.
    #[command(flatten)]
    pub options: Options,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves the limit rows; the bench starts this itself, as a process of its own
    #[command(hide = true)]
    LimitServer(limits::Settings),
    /// Measures what more tenants cost, up to ten thousand
    Fleet(fleet::Options),
    /// Holds connections open with unfinished requests; started by the bench
    #[command(hide = true)]
    Dawdle(attack::Dawdle),
    /// Asks as fast as it is answered; started by the bench
    #[command(hide = true)]
    Hammer(attack::Hammer),
}

/// What to measure, and how long.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Two short windows a row: to try the bench out, not to quote
    #[arg(long)]
    pub quick: bool,
    /// Leave the peers out
    #[arg(long)]
    pub no_peers: bool,
    /// Measure only rows whose name holds this text, and what they are compared with; no
    /// peers (repeatable)
    #[arg(long, value_name = "ROW", value_parser = rows::known)]
    pub only: Vec<String>,
    /// Write all that was measured to this file as well
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Tenants that the load is spread over
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=999))]
    pub tenants: u16,
    /// Measure this `tenantry` binary instead of building one
    #[arg(long, value_name = "FILE")]
    pub product: Option<PathBuf>,
}

impl Options {
    /// How often each row is measured; the median counts.
    pub(crate) fn rounds(&self) -> usize {
        if self.quick { 2 } else { 3 }
    }

    /// Length of one window of load, in seconds.
    pub(crate) fn window_seconds(&self) -> u32 {
        if self.quick { 1 } else { 5 }
    }

    /// Whether the peers are to be measured.
    pub(crate) fn peers(&self) -> bool {
        !self.no_peers && self.only.is_empty()
    }
}
