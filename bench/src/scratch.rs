//! A place for the run's files, and ports that nobody uses. Both are gone when the run ends.

use std::{
    fs::Permissions,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use tempfile::TempDir;

/// A directory that removes itself with everything in it.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    /// Makes the directory below the system's temporary one. Others may pass through it, because
    /// PostgreSQL runs as another user when the bench runs as root, but not list it.
    pub(crate) fn new() -> anyhow::Result<Self> {
        tempfile::Builder::new()
            .prefix("tenantry-bench-")
            .permissions(Permissions::from_mode(0o711))
            .tempdir()
            .map(Self)
            .context("a temporary directory")
    }

    /// A path inside.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file inside and says where it is.
    pub(crate) fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.path(name);
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }
}

/// Ports on loopback that were free a moment ago. They are held together while choosing, so that
/// no two are the same.
pub(crate) fn free_ports<const N: usize>() -> anyhow::Result<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("a free port")?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}
