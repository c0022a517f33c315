//! The run from beginning to end, and the tidying up afterwards, whatever happened in between.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use tokio::{
    process::Command as Program,
    signal::unix::{Signal, SignalKind, signal},
};

use crate::{
    attack,
    database::Database,
    ddl, fleet, memory,
    nginx::{self, Site, Upstream},
    options::{Cli, Command, Options},
    peer,
    process::{Service, own_program},
    product::{self, Product, populate},
    report::{Memory, Report},
    rows::{self, Ports},
    scratch::{Scratch, free_ports},
};

/// Whether every stated target was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All that were measured.
    Met,
    /// At least one was missed, or a row was invalid.
    Missed,
}

/// Runs the command line.
///
/// # Errors
/// When something that everything else depends on cannot be started, or the run is interrupted.
pub fn main(cli: Cli) -> anyhow::Result<Outcome> {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("a runtime")
    };
    match cli.command {
        None => runtime()?.block_on(run(&cli.options)),
        Some(Command::LimitServer(settings)) => {
            crate::limits::serve(&settings).map(|()| Outcome::Met)
        }
        Some(Command::Dawdle(slow)) => {
            runtime()?.block_on(slow.run());
            Ok(Outcome::Met)
        }
        Some(Command::Fleet(options)) => runtime()?.block_on(fleet(&options)),
        Some(Command::Hammer(hammer)) => runtime()?.block_on(hammer.run()).map(|()| Outcome::Met),
    }
}

async fn fleet(options: &fleet::Options) -> anyhow::Result<Outcome> {
    let mut stop = Stop::new()?;
    let good = tokio::select! {
        good = fleet::run(options) => good?,
        () = stop.asked() => bail!("interrupted"),
    };
    Ok(if good { Outcome::Met } else { Outcome::Missed })
}

async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let mut stop = Stop::new()?;
    let scratch = Scratch::new()?;
    let database = tokio::select! {
        database = Database::start(&scratch) => database?,
        () = stop.asked() => bail!("interrupted"),
    };
    // Dropping what is measured stops it, in the order in which it depends on each other.
    let report = tokio::select! {
        report = measure(&scratch, &database, options) => report,
        () = stop.asked() => Err(anyhow::Error::msg("interrupted")),
    };
    drop(database);
    let report = report?;
    println!("{report}");
    if let Some(file) = &options.json {
        let json = serde_json::to_string_pretty(&report)?;
        std::fs::write(file, json).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(if report.good() {
        Outcome::Met
    } else {
        Outcome::Missed
    })
}

async fn measure(
    scratch: &Scratch,
    database: &Database,
    options: &Options,
) -> anyhow::Result<Report> {
    let binary = product::binary(options.product.as_deref()).await?;
    let product = Product::serve(scratch, "product", database, &binary).await?;
    eprintln!("bench: signing {} tenants up", options.tenants);
    let (sign_ups, tenants) = populate(product.port, database, options).await?;
    ddl::single_schema(database).await?;
    let [limit_port, limit_nginx, product_nginx] = free_ports()?;
    let limits = limit_server(scratch, database, limit_port).await?;
    let site = |listen, port| Site {
        listen,
        upstream: Upstream::Http(port),
    };
    let sites = [
        site(limit_nginx, limit_port),
        site(product_nginx, product.port),
    ];
    let nginx = nginx::start(scratch, "nginx", &sites).await?;
    let rows = rows::plan(
        scratch,
        Ports {
            direct: limit_port,
            nginx: limit_nginx,
        },
        Ports {
            direct: product.port,
            nginx: product_nginx,
        },
        &tenants,
        &options.only,
    )?;
    let rows = rows::measure(&rows, options).await?;
    let memory = Memory {
        product: product.memory()?,
        limit_server: memory::resident(limits.id().context("the limit server has ended")?)?,
        backends: backends(database).await?,
    };
    let mut attacked = attack::measure(scratch, product.port, &tenants, options).await?;
    attacked.extend(attack::locks::measure(database, product.port, &tenants, options).await?);
    let hash_ms = sign_ups.hash_ms;
    let crowded = attack::sign_in::measure(product.port, &tenants, hash_ms, options).await?;
    // The peers have the machine to themselves, as the product had.
    drop((nginx, limits, product));
    let migrate_s = ddl::migrate(database, options.tenants).await?.as_secs_f64();
    let peers = if options.peers() {
        peer::measure(scratch, database, options).await
    } else {
        Vec::new()
    };
    Ok(Report {
        tenants: options.tenants,
        quick: options.quick,
        rows,
        attacked,
        crowded,
        sign_ups,
        memory,
        migrate_s,
        peers,
    })
}

async fn limit_server(
    scratch: &Scratch,
    database: &Database,
    port: u16,
) -> anyhow::Result<Service> {
    let own = own_program()?;
    let mut command = Program::new(own);
    command.args(["limit-server", "--port", &port.to_string()]);
    command.args(["--database-url", &database.url(ddl::LIMITS_LOGIN)]);
    let mut server = Service::start("limit server", &mut command, scratch.path("limits.log"))?;
    let url = format!("http://127.0.0.1:{port}/static");
    server
        .ready(Duration::from_secs(20), async || {
            reqwest::get(&url).await.is_ok()
        })
        .await?;
    Ok(server)
}

/// Private memory of each backend that serves the product's data plane or the limits.
pub(crate) async fn backends(database: &Database) -> anyhow::Result<Vec<u64>> {
    let pids = database
        .backends(&["tenantry_data%", ddl::LIMITS_LOGIN])
        .await?;
    // A connection may be replaced between the list and the look at it.
    let found = pids
        .into_iter()
        .map(memory::private)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// Where cargo builds to.
pub(crate) fn target_folder() -> PathBuf {
    let workspace = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target"));
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(workspace, PathBuf::from)
}

/// Ctrl-C or SIGTERM.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn new() -> anyhow::Result<Self> {
        let on = |kind| signal(kind).context("listening for signals");
        Ok(Self {
            interrupt: on(SignalKind::interrupt())?,
            terminate: on(SignalKind::terminate())?,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
