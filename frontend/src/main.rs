//! Serves the pages.

use anyhow::Context;
use clap::Parser;
use service::{
    Entropy,
    serve::Alone,
    settings::{self, Addresses, Logging, Network},
    telemetry::{self, Metrics},
};
use tokio_util::sync::CancellationToken;

/// Serves Tenantry's pages.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example: API_URL=http://api:8080 frontend --bind-address 0.0.0.0"
)]
struct Options {
    /// Port of the pages
    #[arg(long, env, default_value_t = 8000)]
    pages_port: u16,
    #[command(flatten)]
    planes: frontend::Settings,
    #[command(flatten)]
    addresses: Addresses,
    #[command(flatten)]
    network: Network,
    #[command(flatten)]
    logging: Logging,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Options {
        pages_port,
        planes,
        addresses,
        network,
        logging,
    }: Options = settings::parse();
    telemetry::logs(&logging).context("LOG_LEVEL")?;
    let metrics = Metrics::start();
    let entropy = Entropy::system()?;
    let pages = frontend::app(&planes, &addresses, &network, &entropy)?;

    let alone = Alone {
        port: pages_port,
        variable: "PAGES_PORT",
        router: pages.router,
        health: pages.health,
        metrics,
    };
    Ok(alone.run(&network, CancellationToken::new()).await?)
}
