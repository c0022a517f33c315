//! What more tenants cost: the same requests at fleets of different sizes, in peace and while tenants
//! come and go.
//!
//! Each size is measured in turns with a hundred tenants that are all active, so that a ratio says
//! what the number of tenants costs and not what the machine did meanwhile.

mod churn;
mod picture;
mod report;
mod rollout;
mod stock;

use std::{path::PathBuf, str::FromStr, time::Duration};

use anyhow::Context;
use clap::Args;

use self::{
    churn::Churn,
    report::{Report, Row, Size},
    stock::Fleet,
};
use crate::{
    database::Database,
    load::{self, Figures, Load, Mix, Traffic, Window},
    product::{self, Product, requests},
    scratch::Scratch,
};

/// What every size is compared with.
const BASE: Population = Population {
    exist: 100,
    active: 100,
};
/// A second of load for so many active tenants lets every connection meet them.
const WARM_UP_PER_SECOND: u32 = 100;
/// Sign-ups that are timed at a size.
const SIGN_UPS: u32 = 24;

/// What to measure.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// Fleets, as the tenants that exist and those that are active
    #[arg(
        long,
        value_name = "EXIST/ACTIVE",
        value_delimiter = ',',
        default_value = "10/10,100/100,1500/1000,10000/2000"
    )]
    fleets: Vec<Population>,
    /// Two short windows a row: to try it out, not to quote
    #[arg(long)]
    quick: bool,
    /// Measure this `tenantry` binary instead of building one
    #[arg(long, value_name = "FILE")]
    product: Option<PathBuf>,
    /// Where fleets are kept from one run to the next [default: target/bench/fleets]
    #[arg(long, value_name = "DIRECTORY")]
    kept: Option<PathBuf>,
    /// Write all that was measured to this file as well
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw throughput and latency over the number of tenants
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
}

impl Options {
    fn rounds(&self) -> usize {
        if self.quick { 2 } else { 5 }
    }

    fn window_seconds(&self) -> u32 {
        if self.quick { 2 } else { 6 }
    }
}

/// How many tenants there are, and how many of them are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Population {
    pub(crate) exist: u32,
    pub(crate) active: u32,
}

impl FromStr for Population {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text
            .split_once('/')
            .and_then(|(exist, active)| Some((exist.parse().ok()?, active.parse().ok()?)));
        match numbers {
            Some((exist, active)) if 0 < active && active <= exist && exist <= 99_999 => {
                Ok(Self { exist, active })
            }
            _ => Err("two numbers such as 1500/1000, the second not above the first".to_owned()),
        }
    }
}

/// Measures every fleet.
///
/// # Errors
/// When a fleet, the product or wrk cannot be started, or a request by hand fails.
pub(crate) async fn run(options: &Options) -> anyhow::Result<bool> {
    let scratch = Scratch::new()?;
    let binary = product::binary(options.product.as_deref()).await?;
    let kept = options.kept.clone();
    let kept = kept.unwrap_or_else(|| crate::run::target_folder().join("bench/fleets"));
    let base = Stage::start(&scratch, &kept, &binary, BASE, "base").await?;
    let mut sizes = Vec::new();
    for population in &options.fleets {
        sizes.push(measure(&scratch, &kept, &binary, &base, *population, options).await?);
    }
    base.churn.clean(&base.fleet.database).await?;
    let report = Report {
        postgres: Database::version().await?,
        quick: options.quick,
        sizes,
    };
    println!("{report}");
    if let Some(file) = &options.json {
        let json = serde_json::to_string_pretty(&report)?;
        std::fs::write(file, json).with_context(|| format!("writing {}", file.display()))?;
    }
    if let Some(file) = &options.picture {
        let picture = picture::draw(&report);
        std::fs::write(file, picture).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(report.good())
}

/// A fleet and the product that serves it.
struct Stage {
    // First, so that the product stops before its database does.
    product: Product,
    fleet: Fleet,
    churn: Churn,
    uniform: Load,
    zipf: Load,
}

impl Stage {
    async fn start(
        scratch: &Scratch,
        kept: &std::path::Path,
        binary: &std::path::Path,
        population: Population,
        name: &str,
    ) -> anyhow::Result<Self> {
        let fleet = Fleet::open(scratch, kept, binary, population.exist, name).await?;
        let product = Product::serve(scratch, name, &fleet.database, binary).await?;
        let command = product::command(scratch, name, &fleet.database, binary);
        let churn = Churn::new(&product, command).await?;
        let load = |mix: Mix| {
            let active = 0..population.active;
            let requests = active.map(|number| requests::notes(&fleet.tenant(number)));
            let traffic = Traffic {
                requests: requests.collect(),
                mix,
            };
            Load::new(scratch, &format!("{name}-{}", mix.name()), &traffic)
        };
        let (uniform, zipf) = (load(Mix::Uniform)?, load(Mix::Zipf)?);
        let stage = Self {
            product,
            uniform,
            zipf,
            churn,
            fleet,
        };
        stage
            .uniform
            .try_once(stage.product.port, load::page)
            .await?;
        let seconds = (population.active / WARM_UP_PER_SECOND).clamp(2, 30);
        stage
            .uniform
            .warm_up_for(stage.product.port, seconds)
            .await?;
        Ok(stage)
    }

    fn load(&self, mix: Mix) -> &Load {
        match mix {
            Mix::Uniform => &self.uniform,
            Mix::Zipf => &self.zipf,
        }
    }

    /// A window; beside tenants that come and go the machine is never idle, so that it is not waited
    /// for.
    async fn window(
        &self,
        mix: Mix,
        with_churn: bool,
        options: &Options,
    ) -> anyhow::Result<Window> {
        let (port, seconds) = (self.product.port, options.window_seconds());
        let at_once = options.quick || with_churn;
        let window = self.load(mix).window_for(port, seconds, at_once);
        if with_churn {
            self.churn.beside(window).await
        } else {
            window.await
        }
    }
}

/// One size, in turns with a hundred tenants.
async fn measure(
    scratch: &Scratch,
    kept: &std::path::Path,
    binary: &std::path::Path,
    base: &Stage,
    population: Population,
    options: &Options,
) -> anyhow::Result<Size> {
    let Population { exist, active } = population;
    eprintln!("bench: {exist} tenants, {active} active");
    let name = format!("fleet-{exist}");
    let stage = Stage::start(scratch, kept, binary, population, &name).await?;
    let kinds = [
        (Mix::Uniform, false),
        (Mix::Zipf, false),
        (Mix::Uniform, true),
        (Mix::Zipf, true),
    ];
    let mut taken: Vec<Vec<Window>> = kinds.map(|_| Vec::new()).into();
    let mut besides: [Vec<Window>; 2] = Default::default();
    for round in 1..=options.rounds() {
        eprintln!("bench: round {round} of {}", options.rounds());
        for ((mix, with_churn), windows) in kinds.iter().zip(&mut taken) {
            if *mix == Mix::Uniform {
                let window = base.window(*mix, *with_churn, options).await?;
                besides[usize::from(*with_churn)].push(window);
            }
            windows.push(stage.window(*mix, *with_churn, options).await?);
        }
    }
    let (sign_up_ms, base_sign_up_ms) = sign_ups(&stage, base, options).await?;
    let backends = crate::run::backends(&stage.fleet.database).await?;
    let resident = stage.product.memory()?;
    let churned = stage.churn.managed();
    stage.churn.clean(&stage.fleet.database).await?;
    let database = stage.fleet.into_database(stage.product);
    let command = product::command(scratch, &name, &database, binary);
    let rollout_ms = rollout::measure(&database, command, exist).await?;
    let rows = kinds
        .into_iter()
        .zip(taken)
        .map(|((mix, with_churn), windows)| {
            let beside = &besides[usize::from(with_churn)];
            Ok(Row {
                mix,
                with_churn,
                figures: Figures::of(&windows).context("no window")?,
                base: Figures::of(beside).context("no window")?,
            })
        });
    Ok(Size {
        population,
        rows: rows.collect::<anyhow::Result<_>>()?,
        sign_up_ms,
        base_sign_up_ms,
        rollout_ms,
        largest_backend: backends.into_iter().max().context("no backend")?,
        resident: resident.now,
        churned,
    })
}

/// Sign-ups one after the other, here and at a hundred tenants in turns; medians in milliseconds.
async fn sign_ups(stage: &Stage, base: &Stage, options: &Options) -> anyhow::Result<(f64, f64)> {
    let rounds = if options.quick {
        SIGN_UPS / 4
    } else {
        SIGN_UPS
    };
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        for (stage, times) in [(stage, &mut here), (base, &mut there)] {
            times.push(stage.fleet.sign_up(stage.product.port).await?);
            // For what a sign-up leaves behind, such as a checkpoint's writes, to pass.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    let middle = |times: &[Duration]| {
        load::median(times.iter().map(|time| time.as_secs_f64() * 1e3)).context("no sign-up")
    };
    Ok((middle(&here)?, middle(&there)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_is_asked_for_by_two_numbers() {
        let population = "1500/1000".parse();
        assert_eq!(
            population,
            Ok(Population {
                exist: 1500,
                active: 1000
            })
        );
        for bad in [
            "", "10", "10/", "10/11", "0/0", "10/0", "x/1", "100000/1", "-1/1",
        ] {
            assert!(bad.parse::<Population>().is_err(), "{bad}");
        }
    }
}
