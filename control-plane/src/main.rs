//! Serves the control plane alone.

use anyhow::Context;
use clap::Parser;
use control_plane::{ControlPlane, Settings, reaper};
use secrecy::{ExposeSecret, SecretString};
use service::{
    Clock, Entropy, layers, openapi,
    password::Hasher,
    serve::Alone,
    settings::{self, Addresses, Logging, Network},
    telemetry::{self, Metrics},
};
use tokio_util::sync::CancellationToken;

/// glibc's allocator keeps every buffer that a password was hashed in, one per thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Serves Tenantry's control plane.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example: CONTROL_DATABASE_URL=postgres://tenantry_control:…@db/tenantry control-plane"
)]
struct Options {
    /// Database, logged in as tenantry_control
    #[arg(long, env, hide_env_values = true)]
    control_database_url: SecretString,
    /// Port of the API
    #[arg(long, env, default_value_t = 8082)]
    control_port: u16,
    #[command(flatten)]
    control: Settings,
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
        control_database_url,
        control_port,
        control,
        addresses,
        network,
        logging,
    }: Options = settings::parse();
    telemetry::logs(&logging).context("LOG_LEVEL")?;
    let metrics = Metrics::start();
    let database = control_database_url
        .expose_secret()
        .parse()
        .context("CONTROL_DATABASE_URL")?;
    let (clock, entropy) = (Clock::system(), Entropy::system()?);
    let hasher = Hasher::new(entropy.clone())?;
    let plane = ControlPlane::new(
        &control,
        &addresses,
        &database,
        hasher,
        clock,
        entropy.clone(),
    )?;
    let health = plane.health();
    let (router, api) = plane.router().merge(health.routes()).split_for_parts();
    let router = router.merge(openapi::routes(&api)?);
    let router = layers::wrap_api(router, &addresses, &network, &entropy);

    let alone = Alone {
        port: control_port,
        variable: "CONTROL_PORT",
        router,
        health,
        metrics,
    };
    let stop = CancellationToken::new();
    let (served, ()) = tokio::join!(
        alone.run(&network, stop.clone()),
        reaper::run(plane, stop.clone())
    );
    Ok(served?)
}
