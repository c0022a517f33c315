//! What a process holds in memory, from /proc.

use std::path::PathBuf;

use anyhow::Context;

/// Resident memory of one process, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Resident {
    /// Now.
    pub(crate) now: u64,
    /// At its highest since the process began.
    pub(crate) peak: u64,
}

/// Resident memory of a process.
pub(crate) fn resident(pid: u32) -> anyhow::Result<Resident> {
    let status = read(pid, "status")?;
    let take = |field| kilobytes(&status, field).with_context(|| format!("no {field} in status"));
    Ok(Resident {
        now: take("VmRSS:")?,
        peak: take("VmHWM:")?,
    })
}

/// Memory that a process shares with nobody, or its share of it, in bytes: what one more of its
/// kind would cost. `None` when it has ended.
pub(crate) fn private(pid: u32) -> anyhow::Result<Option<u64>> {
    if !PathBuf::from(format!("/proc/{pid}")).exists() {
        return Ok(None);
    }
    let held = kilobytes(&read(pid, "smaps_rollup")?, "Pss_Anon:");
    held.context("no Pss_Anon in smaps_rollup").map(Some)
}

/// Proportional share of all memory of a process and its descendants, in bytes.
pub(crate) fn family(pid: u32) -> anyhow::Result<u64> {
    let mut sum = 0;
    let mut waiting = vec![pid];
    while let Some(pid) = waiting.pop() {
        sum += kilobytes(&read(pid, "smaps_rollup")?, "Pss:").context("no Pss in smaps_rollup")?;
        let children = read(pid, format!("task/{pid}/children"))?;
        waiting.extend(
            children
                .split_whitespace()
                .filter_map(|id| id.parse::<u32>().ok()),
        );
    }
    Ok(sum)
}

fn read(pid: u32, file: impl AsRef<std::path::Path>) -> anyhow::Result<String> {
    let path = PathBuf::from(format!("/proc/{pid}")).join(file);
    std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
}

fn kilobytes(text: &str, field: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    let amount: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(amount * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "VmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\nRssAnon: 1 kB\n";
        assert_eq!(kilobytes(text, "VmRSS:"), Some(1024 * 1024));
        assert_eq!(kilobytes(text, "VmSwap:"), None);
    }

    #[test]
    fn this_process_holds_something() {
        let own = resident(std::process::id()).unwrap();
        assert!(own.now > 0 && own.peak >= own.now / 2);
        assert!(private(std::process::id()).unwrap() > Some(0));
        assert!(family(std::process::id()).unwrap() > 0);
    }
}
