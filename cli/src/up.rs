//! `tenantry up`: PostgreSQL, both planes and the pages in one process, until asked to stop.
//!
//! Ports are taken first, so that a busy one is told before anything is started; PostgreSQL is
//! stopped last, when no request needs it any more.

mod database;
mod hold;
mod notice;
mod planes;
mod ports;

use std::{path::PathBuf, pin::pin};

use anyhow::Context;
use clap::Args;
use service::{
    Clock, Entropy,
    password::Hasher,
    serve,
    settings::{Addresses, Logging, Network},
    telemetry,
};
use tokio_util::sync::CancellationToken;

use crate::{database::Source, output::Output};
use database::Database;
use hold::Hold;
use planes::Planes;
use ports::Ports;

/// What is served, and how.
#[derive(Args)]
#[command(
    after_help = "Every option is an environment variable as well: --api-port is API_PORT.\n\n\
                  Example: API_PORT=9080 tenantry up"
)]
pub(crate) struct Options {
    /// Port of the API
    #[arg(long, env, default_value_t = 8080)]
    pub(crate) api_port: u16,
    /// Port of the pages
    #[arg(long, env, default_value_t = 8000)]
    pub(crate) pages_port: u16,
    /// Port of the private PostgreSQL, on loopback
    #[arg(long, env, default_value_t = 5442)]
    pub(crate) postgres_port: u16,
    /// Directory of the PostgreSQL server's programs [default: searched for]
    #[arg(long, env)]
    pub(crate) postgres_bin_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) control: control_plane::Settings,
    #[command(flatten)]
    pub(crate) data: data_plane::Settings,
    #[command(flatten)]
    pub(crate) addresses: Addresses,
    #[command(flatten)]
    pub(crate) network: Network,
    #[command(flatten)]
    pub(crate) logging: Logging,
}

pub(crate) async fn run(mut options: Options, output: Output) -> anyhow::Result<()> {
    telemetry::logs(&options.logging).context("LOG_LEVEL")?;
    let (api, pages) = (options.api_port, options.pages_port);
    options.addresses = options.addresses.with_ports(api, pages);
    let _hold = Hold::take(&options.source.tenantry_dir)?;
    let ports = Ports::take(&options).await?;
    let database = Database::start(&options, output).await?;
    let outcome = Box::pin(serve(&options, ports, &database, output)).await;
    let stopped = database.stop(output).await;
    outcome.and(stopped)
}

async fn serve(
    options: &Options,
    ports: Ports,
    database: &Database,
    output: Output,
) -> anyhow::Result<()> {
    let (clock, entropy) = (Clock::system(), Entropy::system()?);
    let logins = options.source.logins(&entropy)?;
    output.note("tenantry: migrating the registry");
    database.make_ready(&logins).await?;
    let hasher = Hasher::new(entropy.clone())?;
    let planes = Planes::new(options, database.admin(), &logins, hasher, clock, &entropy)?;
    let (health, stop) = (planes.health(), CancellationToken::new());
    let mut serving = pin!(planes.serve(ports, options, stop.clone()));
    notice::show(options, output)?;
    let outcome = tokio::select! {
        () = &mut serving => Ok(()),
        outcome = asked_to_stop(database) => outcome,
    };
    output.note("tenantry: stopping; ask again to stop at once");
    health.drain();
    stop.cancel();
    tokio::select! {
        () = serving => (),
        _ = serve::stop_signal() => output.note("tenantry: requests under way are cut off"),
    }
    outcome
}

/// Resolves when we are asked to stop, or cannot go on.
async fn asked_to_stop(database: &Database) -> anyhow::Result<()> {
    tokio::select! {
        asked = serve::stop_signal() => Ok(asked?),
        () = database.ended() => anyhow::bail!("PostgreSQL has ended; its log says why"),
    }
}
