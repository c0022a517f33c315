//! Logs and metrics.
//!
//! Secrets stay out of both by construction: they travel as `SecretString` or as digests, whose
//! `Debug` shows nothing, and no layer logs bodies, queries or credentials' headers.

use std::io::IsTerminal as _;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

use crate::settings::{LogFormat, Logging};

/// Bounds of latency histograms, in seconds.
const LATENCY: [f64; 11] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0,
];

/// What the pool says of a connection that ended ("db error") is said with its cause by whoever used
/// it. `LOG_LEVEL` may name this target to see it.
const POOL: &str = "deadpool.postgres";

/// Starts logging to standard error. Later calls change nothing.
///
/// # Errors
/// When `LOG_LEVEL` is not a filter.
pub fn logs(settings: &Logging) -> Result<(), tracing_subscriber::filter::ParseError> {
    let level = &settings.log_level;
    let filter = EnvFilter::builder().parse(format!("{POOL}=error,{level}"))?;
    let registry = tracing_subscriber::registry().with(filter);
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let fmt = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(colours);
    let _ = match settings.log_format {
        LogFormat::Json => registry.with(fmt.json().flatten_event(true)).try_init(),
        LogFormat::Pretty => registry.with(fmt.with_target(false)).try_init(),
    };
    Ok(())
}

/// What this process counts.
#[derive(Clone)]
pub struct Metrics {
    /// None when it is counted elsewhere: then there is nothing to show here.
    counted: Option<PrometheusHandle>,
    process: Collector,
}

impl Metrics {
    /// Starts counting; what happened before is not counted.
    #[must_use]
    pub fn start() -> Self {
        let counted = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &LATENCY)
            .ok()
            .and_then(|builder| builder.install_recorder().ok());
        let process = Collector::default();
        process.describe();
        Self { counted, process }
    }

    /// All figures in Prometheus's text format, those of the process as of now.
    #[must_use]
    pub fn render(&self) -> String {
        self.process.collect();
        self.counted
            .as_ref()
            .map(PrometheusHandle::render)
            .unwrap_or_default()
    }

    /// Sums measurements up. Until then each one takes memory of its own, without bound where
    /// nobody asks for metrics.
    pub(crate) fn sum_up(&self) {
        if let Some(counted) = &self.counted {
            counted.run_upkeep();
        }
    }
}
