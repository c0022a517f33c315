//! A PostgreSQL server for one run of the tests, gone when the run is over.
//!
//! Its data lies in memory and nothing is synced: it is never to hold anything worth keeping.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use local_postgres::{Durability, Error, Options, Server};
use tempfile::TempDir;

/// The variable that names the admin URL of the tests' server.
pub const DATABASE_URL: &str = "TEST_DATABASE_URL";

/// The variable that names the directory of the server programs to test with.
pub const BINARIES: &str = "TEST_POSTGRES_BIN";

/// Tests run side by side, and each may hold several pools.
const CONNECTIONS: u16 = 400;

/// What a run of all tests may write, in bytes.
const ROOM: u64 = 1024 * 1024 * 1024;

const PREFIX: &str = "tenantry-test-";

/// A server that keeps nothing.
#[derive(Debug)]
pub struct Scratch {
    server: Server,
    directory: TempDir,
}

impl Scratch {
    /// The superuser's URL for the database `postgres`.
    #[must_use]
    pub fn admin_url(&self) -> String {
        self.server.admin_url()
    }

    /// The server's process id.
    #[must_use]
    pub const fn process_id(&self) -> i32 {
        self.server.process_id()
    }

    /// Stops the server and removes its data.
    ///
    /// # Errors
    /// When the server does not stop or its data cannot be removed.
    pub async fn stop(self) -> Result<(), Error> {
        self.server.stop().await?;
        let path = self.directory.path().to_owned();
        self.directory
            .close()
            .map_err(|cause| Error::Files { path, cause })
    }
}

/// Starts a server that keeps nothing, from the programs that `TEST_POSTGRES_BIN` or else
/// `POSTGRES_BIN_DIR` names, or from those found. It serves its unix socket alone.
///
/// # Errors
/// As [`local_postgres::start`].
pub async fn scratch() -> Result<Scratch, Error> {
    scratch_on(None).await
}

/// The same, on a port of loopback as well.
///
/// # Errors
/// As [`local_postgres::start`].
pub async fn scratch_on(port: Option<u16>) -> Result<Scratch, Error> {
    let parent = parent();
    sweep(parent);
    // The server may run as another user, who must get through to its own directory.
    let through = Permissions::from_mode(0o711);
    let directory = tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{}-", std::process::id()))
        .permissions(through)
        .tempdir_in(parent)
        .map_err(|cause| Error::Files {
            path: parent.to_owned(),
            cause,
        })?;
    let mut options = Options::new(directory.path());
    options.binaries = binaries();
    options.durability = Durability::Scratch;
    options.port = port;
    options.max_connections = CONNECTIONS;
    let server = local_postgres::start(options).await?;
    Ok(Scratch { server, directory })
}

/// The directory of the server programs to test with, where one is named.
#[must_use]
pub fn binaries() -> Option<PathBuf> {
    let named = [BINARIES, "POSTGRES_BIN_DIR"]
        .into_iter()
        .filter_map(std::env::var_os);
    named
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
        .next()
}

/// In memory where there is room, else on disk.
fn parent() -> &'static Path {
    let memory = Path::new("/dev/shm");
    let free = rustix::fs::statvfs(memory).map_or(0, |fs| fs.f_bavail.saturating_mul(fs.f_frsize));
    if free >= ROOM {
        memory
    } else {
        Path::new("/tmp")
    }
}

/// Removes what runs that were killed have left behind; best effort.
fn sweep(parent: &Path) {
    for entry in parent
        .read_dir()
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
    {
        let name = entry.file_name();
        let starter = name.to_str().and_then(starter);
        if starter.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The process that made a directory of this name.
fn starter(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_dead_runs_left_is_swept() {
        let parent = tempfile::tempdir().unwrap();
        let named = |name: String| parent.path().join(name);
        let ours = named(format!("{PREFIX}{}-a", std::process::id()));
        let dead = named(format!("{PREFIX}{}-b", u32::MAX));
        let other = named("tenantry-x".to_owned());
        for path in [&ours, &dead, &other] {
            fs::create_dir(path).unwrap();
        }
        sweep(parent.path());
        assert!(ours.exists() && other.exists() && !dead.exists());
    }
}
