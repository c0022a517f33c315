//! Serves the data plane alone.

use anyhow::Context;
use clap::Parser;
use data_plane::{DataPlane, Settings};
use secrecy::{ExposeSecret, SecretString};
use service::{
    Clock, Entropy, openapi,
    password::Hasher,
    serve::Alone,
    settings::{self, Addresses, Logging, Network},
    telemetry::{self, Metrics},
};
use tokio_util::sync::CancellationToken;

/// glibc's allocator keeps every buffer that a password was hashed in, one per thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Serves Tenantry's data plane.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example: DATA_DATABASE_URL=postgres://tenantry_data:…@db/tenantry data-plane"
)]
struct Options {
    /// Database, logged in as tenantry_data
    #[arg(long, env, hide_env_values = true)]
    data_database_url: SecretString,
    /// Port of the API
    #[arg(long, env, default_value_t = 8083)]
    data_port: u16,
    #[command(flatten)]
    data: Settings,
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
        data_database_url,
        data_port,
        data,
        addresses,
        network,
        logging,
    }: Options = settings::parse();
    telemetry::logs(&logging).context("LOG_LEVEL")?;
    let metrics = Metrics::start();
    let database = data_database_url
        .expose_secret()
        .parse()
        .context("DATA_DATABASE_URL")?;
    let (clock, entropy) = (Clock::system(), Entropy::system()?);
    let hasher = Hasher::new(entropy.clone())?;
    let plane = DataPlane::new(&data, &addresses, &database, hasher, clock, entropy.clone())?;
    plane
        .check_notifications()
        .await
        .context("DATA_DATABASE_URL")?;
    let routes = plane.router.clone().merge(plane.health.routes());
    let (router, api) = routes.split_for_parts();
    let router = plane.layers(router.merge(openapi::routes(&api)?), &network, &entropy);

    let alone = Alone {
        port: data_port,
        variable: "DATA_PORT",
        router,
        health: plane.health,
        metrics,
    };
    Ok(alone.run(&network, CancellationToken::new()).await?)
}
