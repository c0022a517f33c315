//! The directory of the unix socket.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{
    account::Account,
    error::Error,
    files::{at, private_directory},
    place::Place,
};

/// What fits into a socket's address, without the closing zero.
const LONGEST: usize = 107;

/// The directory of the unix socket: beside the data, or, where that path is too long for a
/// socket's address, one below `/tmp` that goes when this value goes.
#[derive(Debug)]
pub(crate) enum Sockets {
    Beside(PathBuf),
    Elsewhere(TempDir),
}

impl Sockets {
    pub(crate) fn make(place: &Place, port: u16, account: Account) -> Result<Self, Error> {
        let beside = place.directory().join("run");
        let sockets = if fits(&beside, port) {
            Self::Beside(beside)
        } else {
            let parent = Path::new("/tmp");
            let made = tempfile::Builder::new()
                .prefix("tenantry-")
                .tempdir_in(parent);
            Self::Elsewhere(made.map_err(at(parent))?)
        };
        private_directory(sockets.path(), account.owner())?;
        if let Self::Beside(path) = &sockets {
            remove_stale(path)?;
        }
        Ok(sockets)
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Beside(path) => path,
            Self::Elsewhere(directory) => directory.path(),
        }
    }
}

/// Removes the socket and the lock of a server that is gone: the process id in the lock may be
/// another's by now, which PostgreSQL would take for a server. The directory is ours, and nobody
/// serves it.
fn remove_stale(directory: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(directory).map_err(at(directory))? {
        let entry = entry.map_err(at(directory))?;
        if entry.file_name().to_string_lossy().starts_with(".s.PGSQL.") {
            let path = entry.path();
            fs::remove_file(&path).map_err(at(&path))?;
        }
    }
    Ok(())
}

fn fits(directory: &Path, port: u16) -> bool {
    directory.join(format!(".s.PGSQL.{port}")).as_os_str().len() <= LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_fits_up_to_the_last_byte() {
        let directory = |length| PathBuf::from(format!("/{}", "x".repeat(length - 1)));
        let name = "/.s.PGSQL.5432".len();
        assert!(fits(&directory(LONGEST - name), 5432));
        assert!(!fits(&directory(LONGEST - name + 1), 5432));
    }
}
