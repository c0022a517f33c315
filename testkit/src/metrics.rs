//! What a process counted, read as Prometheus does.

use service::telemetry::Metrics;

/// A figure without labels; none before its first event.
#[must_use]
pub fn figure(metrics: &Metrics, name: &str) -> Option<f64> {
    let rendered = metrics.render();
    let mut lines = rendered.lines().filter_map(|line| line.split_once(' '));
    let (_, value) = lines.find(|(series, _)| *series == name)?;
    Some(value.parse().unwrap())
}
