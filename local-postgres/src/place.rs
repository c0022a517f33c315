//! The one directory in which everything lies, held by one process at a time.

use std::{
    fs::{self, File, TryLockError},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rand::{TryRng as _, rngs::SysRng};

use crate::{
    error::Error,
    files::{at, lock_file, private_directory, private_file, read},
};

/// The log is put aside when the server starts and it is larger than this many bytes.
const LOG_LIMIT: u64 = 64 * 1024 * 1024;

/// The paths below the directory.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    directory: PathBuf,
}

/// The proof that no other process holds the directory. The system takes it back when we end,
/// however we end.
#[derive(Debug)]
pub(crate) struct Hold {
    _lock: File,
}

impl Place {
    /// Makes the directory if it is absent.
    pub(crate) fn make(directory: &Path) -> Result<Self, Error> {
        fs::create_dir_all(directory).map_err(at(directory))?;
        Self::at(directory)
    }

    /// A directory that is there.
    pub(crate) fn at(directory: &Path) -> Result<Self, Error> {
        let directory = directory.canonicalize().map_err(at(directory))?;
        Ok(Self { directory })
    }

    pub(crate) fn hold(&self) -> Result<Hold, Error> {
        let path = self.directory.join("lock");
        let file = lock_file(&path).map_err(at(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Hold { _lock: file }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse {
                directory: self.directory.clone(),
            }),
            Err(TryLockError::Error(cause)) => Err(at(&path)(cause)),
        }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// Where data is made, to be moved to [`Self::data`] when it is whole.
    pub(crate) fn unfinished(&self) -> PathBuf {
        self.directory.join("data.unfinished")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.directory.join("postgres.log")
    }

    /// Opens the log for the server, an overlong one put aside, and says where its next line
    /// will stand.
    pub(crate) fn open_log(&self) -> Result<(File, u64), Error> {
        let path = self.log();
        if fs::metadata(&path).is_ok_and(|log| log.len() > LOG_LIMIT) {
            fs::rename(&path, self.directory.join("postgres.log.old")).map_err(at(&path))?;
        }
        let mut options = File::options();
        // It can quote data, so it is for its owner alone.
        options.create(true).append(true).mode(0o600);
        let file = options.open(&path).map_err(at(&path))?;
        let length = file.metadata().map_err(at(&path))?.len();
        Ok((file, length))
    }

    /// The superuser's password, if there is one.
    pub(crate) fn password(&self) -> Result<Option<String>, Error> {
        let text = read(&self.secret())?.unwrap_or_default();
        let password = text.trim();
        Ok((!password.is_empty()).then(|| password.to_owned()))
    }

    /// Draws a password for the superuser and keeps it.
    pub(crate) fn new_password(&self) -> Result<String, Error> {
        let mut bytes = [0_u8; 32];
        let secret = self.secret();
        SysRng
            .try_fill_bytes(&mut bytes)
            .map_err(|e| at(&secret)(std::io::Error::other(e)))?;
        let password: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        private_directory(&self.directory.join("secrets"), None)?;
        private_file(&secret, &password, None)?;
        Ok(password)
    }

    /// The file of the superuser's password.
    pub(crate) fn secret(&self) -> PathBuf {
        self.directory.join("secrets/superuser-password")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn one_process_holds_the_directory() {
        let parent = tempfile::tempdir().unwrap();
        let place = Place::make(&parent.path().join("x")).unwrap();
        let hold = place.hold().unwrap();
        let lock = fs::metadata(place.directory().join("lock")).unwrap();
        assert_eq!(lock.permissions().mode() & 0o777, 0o600);
        assert!(matches!(place.hold(), Err(Error::InUse { .. })));
        drop(hold);
        place.hold().unwrap();
    }

    #[test]
    fn the_password_is_kept_for_its_owner_alone() {
        let parent = tempfile::tempdir().unwrap();
        let place = Place::make(parent.path()).unwrap();
        assert_eq!(place.password().unwrap(), None);
        let password = place.new_password().unwrap();
        assert_eq!(place.password().unwrap(), Some(password));
        let mode = fs::metadata(place.secret()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
