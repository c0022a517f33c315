//! Waiting until the machine is idle, so that a window measures what it is meant to.

use std::time::Duration;

use anyhow::Context;

/// How long the machine is watched at a time.
const LOOK: Duration = Duration::from_millis(400);
/// Share of idle time that counts as a machine at rest, before a window.
const AT_REST: f64 = 0.88;
/// The same soon after one, when what was measured is still clearing up.
const STILL: f64 = 0.80;
/// Looks before giving up and measuring all the same.
const PATIENCE: u32 = 50;

/// Waits for an idle machine; `false` when it would not come to rest.
pub(crate) async fn settle() -> anyhow::Result<bool> {
    for _ in 0..PATIENCE {
        if idle(LOOK).await? >= AT_REST {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the machine is at rest soon after a window: if not, something else ran beside it.
pub(super) async fn still() -> anyhow::Result<bool> {
    tokio::time::sleep(LOOK).await;
    Ok(idle(LOOK).await? >= STILL)
}

async fn idle(watched: Duration) -> anyhow::Result<f64> {
    let before = ticks()?;
    tokio::time::sleep(watched).await;
    let after = ticks()?;
    let all = after.all.saturating_sub(before.all).max(1);
    Ok(after.idle.saturating_sub(before.idle) as f64 / all as f64)
}

#[derive(Debug, PartialEq)]
struct Ticks {
    all: u64,
    idle: u64,
}

fn ticks() -> anyhow::Result<Ticks> {
    let text = std::fs::read_to_string("/proc/stat").context("reading /proc/stat")?;
    parse(&text).context("/proc/stat is not as expected")
}

fn parse(text: &str) -> Option<Ticks> {
    // user nice system idle iowait irq softirq steal; what follows is part of user already.
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    let counts: Vec<u64> = line
        .split_whitespace()
        .take(8)
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    Some(Ticks {
        all: counts.iter().sum(),
        idle: counts.get(3)? + counts.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_for_the_disk_is_idle_and_guests_are_not_counted_twice() {
        let text = "cpu  10 1 5 100 20 0 0 4 7 0\ncpu0 1 1 1 1\n";
        assert_eq!(
            parse(text),
            Some(Ticks {
                all: 140,
                idle: 120
            })
        );
        assert_eq!(parse("intr 1"), None);
    }
}
