//! `tenantry up`: PostgreSQL, both planes and the pages in one process, until asked to stop.
//!
//! Ports are taken first, so that a busy one is told before anything is started; PostgreSQL is
//! stopped last, when no request needs it any more.

mod asked;
mod database;
mod hold;
mod notice;
mod planes;
mod ports;

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;
use service::{
    Clock, Entropy,
    health::Health,
    password::Hasher,
    settings::{Addresses, Logging, Network},
    telemetry::{self, Metrics},
};
use tokio_util::sync::CancellationToken;

use crate::{
    database::{Source, on_loopback},
    local::Local,
    output::Output,
};
use asked::Asked;
use database::Database;
use hold::Hold;
pub(crate) use hold::runs_in;
use planes::Planes;
use ports::Ports;

/// How long another `up` in the same directory, which may be stopping, is waited for.
const STOPPING: Duration = Duration::from_secs(30);

/// Between two notes of what does not answer yet.
const UNREADY: Duration = Duration::from_secs(5);

/// What is served, and how.
#[derive(Args)]
#[command(
    after_help = "Every option is an environment variable as well: --api-port is API_PORT.\n\n\
                  Example: API_PORT=9080 tenantry up"
)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) local: Local,
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
    let metrics = Metrics::start();
    let mut asked = Asked::listen()?;
    options.addresses = options.local.addresses(options.addresses, &options.network);
    if options.source.database_url.is_none() {
        on_loopback(&mut options.control, options.local.postgres_port);
    }
    let _hold = Hold::take(&options.source.tenantry_dir, STOPPING, output).await?;
    let ports = Ports::take(&options).await?;
    let (database, early) = start(&options, &mut asked, output).await?;
    let outcome = if early {
        Ok(())
    } else {
        Box::pin(serve(
            &options, ports, metrics, &database, &mut asked, output,
        ))
        .await
    };
    let stopped = database.stop(output).await;
    outcome.and(stopped)
}

/// The database, and whether we were asked to stop before it was there. PostgreSQL is stopped
/// once it has started: before, there is only a half-made directory to leave behind.
async fn start(
    options: &Options,
    asked: &mut Asked,
    output: Output,
) -> anyhow::Result<(Database, bool)> {
    let mut starting = pin!(Database::start(options, output));
    tokio::select! {
        started = &mut starting => return Ok((started?, false)),
        () = asked.heard() => (),
    }
    output.note("tenantry: stopping once PostgreSQL has started; ask again to stop at once");
    tokio::select! {
        started = starting => Ok((started?, true)),
        () = asked.heard() => anyhow::bail!("stopped while PostgreSQL was starting"),
    }
}

async fn serve(
    options: &Options,
    ports: Ports,
    metrics: Metrics,
    database: &Database,
    asked: &mut Asked,
    output: Output,
) -> anyhow::Result<()> {
    let planes = tokio::select! {
        planes = make_ready(options, &ports, database, output) => planes?,
        () = asked.heard() => return Ok(()),
    };
    let (health, stop) = (planes.health(), CancellationToken::new());
    let mut serving = pin!(planes.serve(ports, options, metrics, stop.clone()));
    let outcome = tokio::select! {
        () = &mut serving => return Ok(()),
        () = asked.heard() => Ok(()),
        gone = database.ended() => Err(gone),
        fault = announce(options, &health, output) => Err(fault),
    };
    output.note("tenantry: stopping; ask again to stop at once");
    health.drain();
    stop.cancel();
    tokio::select! {
        () = serving => (),
        () = asked.heard() => output.note("tenantry: requests under way are cut off"),
    }
    outcome
}

/// Says where to go once everything answers, and until then what does not; ends with a fault alone.
async fn announce(options: &Options, health: &Health, output: Output) -> anyhow::Error {
    let mut noted = Instant::now();
    loop {
        let failing = health.report().await.failing;
        if failing.is_empty() {
            break;
        }
        if noted.elapsed() > UNREADY {
            noted = Instant::now();
            let failing = failing.join(", ");
            output.note(&format!("tenantry: not up yet; no answer from: {failing}"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    match notice::show(options, output) {
        Ok(()) => std::future::pending().await,
        Err(fault) => fault,
    }
}

/// The planes, on a database that has all they need.
async fn make_ready(
    options: &Options,
    ports: &Ports,
    database: &Database,
    output: Output,
) -> anyhow::Result<Planes> {
    let (clock, entropy) = (Clock::system(), Entropy::system()?);
    let logins = options.source.logins(&entropy)?;
    output.note("tenantry: migrating the registry");
    database.make_ready(&logins).await?;
    let hasher = Hasher::new(entropy.clone())?;
    let admin = database.admin();
    let planes = Planes::new(options, ports, admin, &logins, hasher, clock, &entropy).await?;
    planes.make_ready().await;
    Ok(planes)
}
