//! One `up` per directory.

use std::{
    fs::{self, File, TryLockError},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

use crate::output::Output;

const LOCK: &str = "up.lock";

/// The proof that no other process serves from a directory. The system takes it back when this
/// process ends, however it ends.
pub(super) struct Hold {
    _lock: File,
}

impl Hold {
    /// Makes the directory if need be. While another process holds it, and perhaps is stopping, it is
    /// waited for.
    ///
    /// # Errors
    /// When it is still held then, or cannot be written to.
    pub(super) async fn take(
        directory: &Path,
        wait: Duration,
        output: Output,
    ) -> anyhow::Result<Self> {
        let started = Instant::now();
        let mut is_noted = false;
        loop {
            match Self::try_take(directory)? {
                Some(hold) => return Ok(hold),
                None if started.elapsed() >= wait => bail!(
                    "another `tenantry up` serves from {}; set TENANTRY_DIR to use another directory",
                    directory.display()
                ),
                None if !is_noted => {
                    is_noted = true;
                    let (shown, seconds) = (directory.display(), wait.as_secs());
                    output.note(&format!(
                        "tenantry: waiting up to {seconds} s for another `tenantry up` in {shown} to stop"
                    ));
                }
                None => (),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn try_take(directory: &Path) -> anyhow::Result<Option<Self>> {
        let path = directory.join(LOCK);
        let open = || {
            fs::create_dir_all(directory)?;
            local_postgres::lock_file(&path)
        };
        let lock = open().with_context(|| path.display().to_string())?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
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

    async fn take(directory: &Path, wait: Duration) -> anyhow::Result<Hold> {
        Hold::take(directory, wait, Output::new(false)).await
    }

    #[tokio::test]
    async fn a_directory_is_held_once() {
        let place = tempfile::tempdir().unwrap();
        assert!(!runs_in(place.path()));
        let hold = take(place.path(), Duration::ZERO).await.unwrap();
        assert!(runs_in(place.path()));
        let lock = fs::metadata(place.path().join(LOCK)).unwrap();
        assert_eq!(lock.permissions().mode() & 0o777, 0o600);
        let refused = take(place.path(), Duration::ZERO).await.err().unwrap();
        assert!(refused.to_string().contains("TENANTRY_DIR"));
        drop(hold);
        assert!(!runs_in(place.path()));
        take(place.path(), Duration::ZERO).await.unwrap();
    }

    #[tokio::test]
    async fn one_that_is_stopping_is_waited_for() {
        let place = tempfile::tempdir().unwrap();
        let hold = take(place.path(), Duration::ZERO).await.unwrap();
        let next = take(place.path(), Duration::from_secs(60));
        let stop = async { drop(hold) };
        let (next, ()) = tokio::join!(next, stop);
        next.unwrap();
    }
}
