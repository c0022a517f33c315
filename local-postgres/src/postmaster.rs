//! `postmaster.pid`: what a server says of itself in its data directory.

use std::path::{Path, PathBuf};

/// The lines that matter here. The file outlives a server that was killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PidFile {
    pub(crate) pid: i32,
    pub(crate) port: u16,
    pub(crate) socket_directory: PathBuf,
    pub(crate) tcp: bool,
    pub(crate) ready: bool,
}

impl PidFile {
    /// Where the file lies.
    pub(crate) fn path(data: &Path) -> PathBuf {
        data.join("postmaster.pid")
    }

    /// Reads the file; `None` where it is absent or still being written.
    pub(crate) fn read(data: &Path) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(Self::path(data)).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().collect();
        let [pid, _data, _started, port, sockets, address, ..] = lines[..] else {
            return None;
        };
        Some(Self {
            pid: pid.trim().parse().ok()?,
            port: port.trim().parse().ok()?,
            socket_directory: sockets.into(),
            tcp: !address.trim().is_empty(),
            ready: lines.get(7).is_some_and(|status| status.trim() == "ready"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_served_socket_without_tcp() {
        let file = "77\n/d\n1700000000\n5432\n/d/run\n\n 123 4\nready   \n";
        let read = PidFile::parse(file).unwrap();
        assert!(read.ready && !read.tcp);
        assert_eq!((read.pid, read.port), (77, 5432));
    }

    #[test]
    fn a_server_that_is_starting_and_a_file_half_written() {
        let starting = "77\n/d\n1700000000\n5432\n/d/run\n127.0.0.1\n 123 4\nstarting\n";
        let read = PidFile::parse(starting).unwrap();
        assert!(!read.ready && read.tcp);
        assert_eq!(PidFile::parse("77\n/d\n"), None);
    }
}
