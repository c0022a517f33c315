//! Serves the data plane alone.

use anyhow::Context;
use clap::Parser;
use data_plane::{DataPlane, Settings, with_path_prefix};
use secrecy::{ExposeSecret, SecretString};
use service::{
    Clock, Entropy, layers, openapi,
    password::Hasher,
    serve,
    settings::{Addresses, Logging, Network},
    telemetry,
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
    } = Options::parse();
    telemetry::logs(&logging).context("LOG_LEVEL")?;
    let metrics = telemetry::metrics();
    let database = data_database_url
        .expose_secret()
        .parse()
        .context("DATA_DATABASE_URL")?;
    let (clock, entropy) = (Clock::system(), Entropy::system()?);
    let hasher = Hasher::new(entropy.clone())?;
    let plane = DataPlane::new(&data, &addresses, &database, hasher, clock, entropy.clone())?;
    let (router, api) = plane.router.merge(plane.health.routes()).split_for_parts();
    let router = router.merge(openapi::routes(api));
    let router = with_path_prefix(layers::wrap(router, &network, &entropy));

    let public = serve::listen(network.on(data_port), "DATA_PORT").await?;
    let admin = serve::listen(network.on(network.admin_port), "ADMIN_PORT").await?;
    tracing::info!(address = %public.local_addr()?, "serving the data plane");

    let stop = CancellationToken::new();
    let watch = async {
        let stopped = serve::stop_signal().await;
        plane.health.drain();
        stop.cancel();
        stopped
    };
    let (stopped, (), ()) = tokio::join!(
        watch,
        serve::run(public, router, &network, stop.clone()),
        serve::run_admin(admin, &plane.health, metrics, &network, stop.clone()),
    );
    Ok(stopped?)
}
