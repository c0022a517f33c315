//! What a window of load came to, and the median of several.

use anyhow::Context;
use serde::Serialize;

/// One window of load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Window {
    /// Answered requests a second.
    pub(crate) per_second: f64,
    /// Half of the requests took no longer, in microseconds.
    pub(crate) p50_us: f64,
    /// All but one in a hundred took no longer.
    pub(crate) p99_us: f64,
    /// Requests answered with a fault, or not at all.
    pub(crate) failed: u64,
    /// Whether something else used the machine.
    pub(crate) noisy: bool,
}

/// The medians of several windows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Figures {
    pub(crate) per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Failed requests in all windows together: any makes the row invalid.
    pub(crate) failed: u64,
    /// Windows in which something else used the machine.
    pub(crate) noisy: usize,
    pub(crate) windows: Vec<Window>,
}

impl Figures {
    /// The medians of these windows; `None` without any.
    pub(crate) fn of(windows: &[Window]) -> Option<Self> {
        let over = |pick: fn(&Window) -> f64| median(windows.iter().map(pick));
        Some(Self {
            per_second: over(|window| window.per_second)?,
            p50_us: over(|window| window.p50_us)?,
            p99_us: over(|window| window.p99_us)?,
            failed: windows.iter().map(|window| window.failed).sum(),
            noisy: windows.iter().filter(|window| window.noisy).count(),
            windows: windows.to_vec(),
        })
    }
}

/// The middle one of some figures, or half-way between the two in the middle.
pub(crate) fn median(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = figures.collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        even if even % 2 == 0 => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
        _ => Some(sorted[middle]),
    }
}

/// Reads the line that our script makes wrk print.
pub(super) fn parse(printed: &str) -> anyhow::Result<Window> {
    let line = printed
        .lines()
        .find_map(|line| line.strip_prefix("RESULT "))
        .with_context(|| format!("wrk printed no result:\n{printed}"))?;
    let field = |name: &str| -> anyhow::Result<f64> {
        let found = line
            .split(' ')
            .find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        found
            .with_context(|| format!("no {name}"))?
            .parse()
            .context("a number from wrk")
    };
    let seconds = field("micros")? / 1e6;
    Ok(Window {
        per_second: field("requests")? / seconds,
        p50_us: field("p50")?,
        p99_us: field("p99")?,
        failed: (field("refused")? + field("broken")?) as u64,
        noisy: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_line_is_read() {
        let printed = "Running 1s test\nRESULT requests=3000 micros=1500000 p50=10 p99=20 \
                       refused=1 broken=2\n";
        let window = parse(printed).unwrap();
        assert_eq!((window.per_second, window.failed), (2000.0, 3));
        assert!(parse("nothing").is_err());
    }

    #[test]
    fn a_median_of_an_even_number_lies_between() {
        assert_eq!(median([4.0, 1.0, 3.0, 2.0].into_iter()), Some(2.5));
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median(std::iter::empty()), None);
    }

    #[test]
    fn one_failed_request_in_one_window_is_not_lost_in_the_median() {
        let window = Window {
            per_second: 1.0,
            p50_us: 1.0,
            p99_us: 1.0,
            failed: 0,
            noisy: false,
        };
        let bad = Window {
            failed: 1,
            noisy: true,
            ..window
        };
        let figures = Figures::of(&[window.clone(), bad, window]).unwrap();
        assert_eq!((figures.failed, figures.noisy), (1, 1));
    }
}
