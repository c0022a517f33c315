//! One `up` per directory.

use std::{
    fs::{self, File, TryLockError},
    path::Path,
};

use anyhow::{Context, bail};

const LOCK: &str = "up.lock";

/// The proof that no other process serves from a directory. The system takes it back when this
/// process ends, however it ends.
pub(super) struct Hold {
    _lock: File,
}

impl Hold {
    /// Makes the directory if need be.
    pub(super) fn take(directory: &Path) -> anyhow::Result<Self> {
        let path = directory.join(LOCK);
        let open = || {
            fs::create_dir_all(directory)?;
            local_postgres::lock_file(&path)
        };
        let lock = open().with_context(|| path.display().to_string())?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!(
                "another `tenantry up` serves from {}; set TENANTRY_DIR to use another directory",
                directory.display()
            ),
            Err(TryLockError::Error(cause)) => {
                Err(cause).with_context(|| path.display().to_string())
            }
        }
    }
}

/// Whether an `up` serves from the directory now.
pub(crate) fn runs_in(directory: &Path) -> bool {
    let lock = File::open(directory.join(LOCK));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_directory_is_held_once() {
        let place = tempfile::tempdir().unwrap();
        assert!(!runs_in(place.path()));
        let hold = Hold::take(place.path()).unwrap();
        assert!(runs_in(place.path()));
        let lock = fs::metadata(place.path().join(LOCK)).unwrap();
        assert_eq!(lock.permissions().mode() & 0o777, 0o600);
        let refused = Hold::take(place.path()).err().unwrap();
        assert!(refused.to_string().contains("TENANTRY_DIR"));
        drop(hold);
        assert!(!runs_in(place.path()));
        Hold::take(place.path()).unwrap();
    }
}
