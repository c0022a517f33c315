//! Secrets that a directory keeps: drawn when they are first needed, readable by their owner alone.

use std::{
    fs::{self, DirBuilder, File},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use service::{Entropy, Minted};

/// The secrets below a directory such as `.tenantry`.
pub(crate) struct Secrets {
    directory: PathBuf,
}

impl Secrets {
    pub(crate) fn of(directory: &Path) -> Self {
        Self {
            directory: directory.join("secrets"),
        }
    }

    /// A secret that was kept.
    ///
    /// # Errors
    /// When it is there, but cannot be read.
    pub(crate) fn kept(&self, name: &str) -> anyhow::Result<Option<SecretString>> {
        let path = self.directory.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim())
                .filter(|text| !text.is_empty())
                .map(Into::into)),
            Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(fault).with_context(|| path.display().to_string()),
        }
    }

    /// The secret, drawn and kept if there is none yet.
    ///
    /// # Errors
    /// When it cannot be read or kept.
    pub(crate) fn kept_or_drawn(
        &self,
        name: &str,
        entropy: &Entropy,
    ) -> anyhow::Result<SecretString> {
        if let Some(secret) = self.kept(name)? {
            return Ok(secret);
        }
        let secret = Minted::new(entropy, "").secret;
        self.keep(name, &secret)?;
        Ok(secret)
    }

    fn keep(&self, name: &str, secret: &SecretString) -> anyhow::Result<()> {
        let path = self.directory.join(name);
        let keep = || -> std::io::Result<()> {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&self.directory)?;
            // Written beside and moved, so that a crash leaves a whole secret or none.
            let unfinished = path.with_extension("unfinished");
            let mut options = File::options();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(&unfinished)?;
            file.write_all(secret.expose_secret().as_bytes())?;
            file.sync_all()?;
            fs::rename(&unfinished, &path)
        };
        keep().with_context(|| path.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_stays_and_is_its_owners_alone() {
        let place = tempfile::tempdir().unwrap();
        let (secrets, entropy) = (Secrets::of(place.path()), Entropy::seeded(1));
        assert!(secrets.kept("one").unwrap().is_none());
        let drawn = secrets.kept_or_drawn("one", &entropy).unwrap();
        let again = secrets.kept_or_drawn("one", &entropy).unwrap();
        assert_eq!(drawn.expose_secret(), again.expose_secret());
        for (path, mode) in [("secrets", 0o700), ("secrets/one", 0o600)] {
            let found = fs::metadata(place.path().join(path))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(found & 0o777, mode, "{path}");
        }
    }
}
