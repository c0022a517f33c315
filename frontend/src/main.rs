//! Serves the pages.

use anyhow::Context;
use clap::Parser;
use service::{
    Entropy, serve,
    settings::{Addresses, Logging, Network},
    telemetry,
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
    } = Options::parse();
    telemetry::logs(&logging).context("LOG_LEVEL")?;
    let metrics = telemetry::metrics();
    let entropy = Entropy::system()?;
    let pages = frontend::app(&planes, &addresses, &network, &entropy)?;

    let public = serve::listen(network.on(pages_port), "PAGES_PORT").await?;
    let admin = serve::listen(network.on(network.admin_port), "ADMIN_PORT").await?;
    tracing::info!(address = %public.local_addr()?, "serving pages");

    let stop = CancellationToken::new();
    let watch = async {
        let stopped = serve::stop_signal().await;
        pages.health.drain();
        stop.cancel();
        stopped
    };
    let (stopped, (), ()) = tokio::join!(
        watch,
        serve::run(public, pages.router, &network, stop.clone()),
        serve::run_admin(admin, &pages.health, metrics, &network, stop.clone()),
    );
    Ok(stopped?)
}
