//! What the fleets came to, as a table and as targets.

use std::fmt;

use serde::Serialize;

use super::Population;
use crate::load::{Figures, Mix};

/// Throughput beside that of a hundred tenants, all of them active.
const UNIFORM_AT_LEAST: f64 = 0.8;
const ZIPF_AT_LEAST: f64 = 0.95;
/// The slowest hundredth beside theirs.
const P99_AT_MOST: f64 = 2.0;
/// A sign-up beside one at a hundred tenants.
const SIGN_UP_AT_MOST: f64 = 1.15;
/// A tenant's migration in the largest fleet, beside the same in one of a thousand and more.
const ROLLOUT_AT_MOST: f64 = 1.2;
const ROLLOUT_FROM: u32 = 1000;
/// What CONNECTION_MEMORY_MIB allows a backend by default.
const BACKEND_AT_MOST: u64 = 128 << 20;

/// One kind of traffic at one size.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) mix: Mix,
    /// Whether tenants came and went meanwhile.
    pub(super) with_churn: bool,
    pub(super) figures: Figures,
    /// A hundred tenants in turns with it, uniformly, and beside tenants that come and go if these are.
    pub(super) base: Figures,
}

/// All that was measured at one size.
#[derive(Debug, Serialize)]
pub(super) struct Size {
    #[serde(flatten)]
    pub(super) population: Population,
    pub(super) rows: Vec<Row>,
    pub(super) sign_up_ms: f64,
    pub(super) base_sign_up_ms: f64,
    /// For each tenant.
    pub(super) rollout_ms: f64,
    /// Private memory of the largest backend of the data plane, in bytes.
    pub(super) largest_backend: u64,
    /// Of the product's one process, in bytes.
    pub(super) resident: u64,
    /// Sign-ups and purges beside the load.
    pub(super) churned: [u64; 2],
}

/// Every size, on one version of PostgreSQL.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) postgres: String,
    pub(super) quick: bool,
    pub(super) sizes: Vec<Size>,
}

impl Row {
    /// Throughput and slowest hundredth beside those of a hundred tenants.
    pub(super) fn ratios(&self) -> [f64; 2] {
        [
            self.figures.per_second / self.base.per_second,
            self.figures.p99_us / self.base.p99_us,
        ]
    }

    fn met(&self) -> bool {
        let [rate, p99] = self.ratios();
        let at_least = match self.mix {
            Mix::Uniform => UNIFORM_AT_LEAST,
            Mix::Zipf => ZIPF_AT_LEAST,
        };
        self.figures.failed == 0 && rate >= at_least && p99 <= P99_AT_MOST
    }
}

impl Size {
    /// How many times as long a sign-up takes as at a hundred tenants.
    fn sign_up(&self) -> f64 {
        self.sign_up_ms / self.base_sign_up_ms
    }

    fn met(&self) -> bool {
        self.rows.iter().all(Row::met)
            && self.sign_up() <= SIGN_UP_AT_MOST
            && self.largest_backend <= BACKEND_AT_MOST
    }
}

impl Report {
    /// Whether every target is met.
    pub(super) fn good(&self) -> bool {
        self.sizes.iter().all(Size::met)
            && self.rollout().is_none_or(|ratio| ratio <= ROLLOUT_AT_MOST)
    }

    /// How many times as long a tenant's migration takes in the largest fleet as in the smallest of a
    /// thousand and more.
    fn rollout(&self) -> Option<f64> {
        let large = self
            .sizes
            .iter()
            .filter(|size| size.population.exist >= ROLLOUT_FROM);
        let exist = |size: &&Size| size.population.exist;
        let (least, most) = (large.clone().min_by_key(exist)?, large.max_by_key(exist)?);
        (least.population != most.population).then(|| most.rollout_ms / least.rollout_ms)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "notes, 32 connections, PostgreSQL {}",
            self.postgres
        )?;
        for size in &self.sizes {
            let Population { exist, active } = size.population;
            writeln!(formatter, "\n{exist} tenants, {active} active")?;
            for row in &size.rows {
                let beside = match row.with_churn {
                    true => ", tenants come and go",
                    false => "",
                };
                if row.mix == Mix::Uniform {
                    let name = format!("100 of 100, uniform{beside}");
                    line(formatter, &name, &row.base, None)?;
                }
                let name = format!("{}{beside}", row.mix.name());
                line(formatter, &name, &row.figures, Some(row))?;
            }
            let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
            let [signed_up, purged] = size.churned;
            writeln!(
                formatter,
                "  a sign-up {:.1} ms, {:.2} times one at a hundred ({:.1} ms)\n  \
                 a tenant's migration {:.2} ms\n  \
                 the largest backend {:.0} MiB, the product {:.0} MiB\n  \
                 beside the load: {signed_up} sign-ups, {purged} purges",
                size.sign_up_ms,
                size.sign_up(),
                size.base_sign_up_ms,
                size.rollout_ms,
                mib(size.largest_backend),
                mib(size.resident),
            )?;
        }
        if let Some(ratio) = self.rollout() {
            writeln!(
                formatter,
                "\na migration in the largest fleet: {ratio:.2} times as long"
            )?;
        }
        let verdict = if self.good() { "pass" } else { "FAIL" };
        writeln!(formatter, "\n{verdict}")?;
        if self.quick {
            writeln!(formatter, "Short windows (--quick): not for quoting.")?;
        }
        Ok(())
    }
}

fn line(
    formatter: &mut fmt::Formatter<'_>,
    name: &str,
    figures: &Figures,
    judged: Option<&Row>,
) -> fmt::Result {
    let rates = figures.windows.iter().map(|window| window.per_second);
    let (least, most) = rates.fold((f64::MAX, 0.0_f64), |(least, most), rate| {
        (least.min(rate), most.max(rate))
    });
    write!(
        formatter,
        "  {name:<40} {:>7.0}/s ({least:.0} to {most:.0}), p50 {:>5.1} ms, p99 {:>6.1} ms",
        figures.per_second,
        figures.p50_us / 1e3,
        figures.p99_us / 1e3,
    )?;
    if let Some(row) = judged {
        let [rate, p99] = row.ratios();
        let verdict = if row.met() { "pass" } else { "FAIL" };
        write!(
            formatter,
            "   {rate:.2} of it, p99 {p99:.2} times   {verdict}"
        )?;
        if figures.failed > 0 {
            write!(formatter, ", {} failed", figures.failed)?;
        }
    }
    writeln!(formatter)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::load::Window;

    fn figures(per_second: f64, p99_us: f64) -> Figures {
        Figures::of(&[Window {
            per_second,
            p50_us: p99_us / 2.0,
            p99_us,
            failed: 0,
            noisy: false,
        }])
        .unwrap()
    }

    /// A size at which a row has these shares of the base's throughput and slowest hundredth.
    pub(in crate::fleet) fn size(exist: u32, rate: f64, p99: f64) -> Size {
        let row = |mix, with_churn| Row {
            mix,
            with_churn,
            figures: figures(1000.0 * rate, 5000.0 * p99),
            base: figures(1000.0, 5000.0),
        };
        Size {
            population: Population {
                exist,
                active: exist,
            },
            rows: vec![
                row(Mix::Uniform, false),
                row(Mix::Uniform, true),
                row(Mix::Zipf, false),
            ],
            sign_up_ms: 40.0,
            base_sign_up_ms: 40.0,
            rollout_ms: 2.0,
            largest_backend: 64 << 20,
            resident: 64 << 20,
            churned: [10, 2],
        }
    }

    fn report(sizes: Vec<Size>) -> Report {
        Report {
            postgres: "15".into(),
            quick: false,
            sizes,
        }
    }

    #[test]
    fn a_target_that_is_missed_is_said() {
        assert!(report(vec![size(100, 1.0, 1.0), size(1000, 0.96, 1.9)]).good());
        for (rate, p99) in [(0.79, 1.0), (0.9, 1.0), (1.0, 2.1)] {
            assert!(!report(vec![size(1000, rate, p99)]).good(), "{rate} {p99}");
        }
        let slow = Size {
            sign_up_ms: 47.0,
            ..size(1000, 1.0, 1.0)
        };
        assert!(!report(vec![slow]).good());
        let rollout = Size {
            rollout_ms: 2.5,
            ..size(10_000, 1.0, 1.0)
        };
        assert!(!report(vec![size(1000, 1.0, 1.0), rollout]).good());
    }

    #[test]
    fn a_failed_request_fails_the_row() {
        let mut size = size(1000, 1.0, 1.0);
        size.rows[0].figures.failed = 1;
        let text = report(vec![size]).to_string();
        assert!(text.contains("1 failed") && text.contains("FAIL"), "{text}");
    }
}
