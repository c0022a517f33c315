//! Password hashing, away from the threads that serve requests and never more at once than the
//! machine can bear.
//!
//! argon2id by RFC 9106, parameters by OWASP (19 MiB, two passes, one lane). Each hash takes a
//! core for some 17 ms, so they run on the blocking pool, as many at once as there are cores. Who
//! has to wait does so in a fair queue: a burst of sign-ins at one tenant, or from one address,
//! holds up nobody else.

mod lines;
mod queue;

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

pub use queue::Share;

use crate::{
    entropy::Entropy,
    problem::{Kind, Problem},
};
use lines::Bounds;
use queue::{Busy, FairQueue, Permit};

/// Seconds after which whoever found the queue full may come back.
const RETRY_AFTER: u64 = 2;

/// Why a password could not be hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Too many of this share are waiting already.
    #[error("Too many passwords are being checked right now.")]
    Busy,
    /// The hash in the database cannot be read, or hashing itself failed.
    #[error("password hashing failed: {0}")]
    Broken(String),
}

impl From<Busy> for Error {
    fn from(_: Busy) -> Self {
        metrics::counter!("password_hashes_refused_total").increment(1);
        Self::Busy
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Busy => Problem::new(Kind::Unavailable)
                .detail(error.to_string())
                .retry_after(RETRY_AFTER),
            Error::Broken(cause) => Problem::internal(&cause),
        }
    }
}

/// Hashes and verifies passwords; clones share one queue.
#[derive(Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
    queue: FairQueue,
    entropy: Entropy,
    decoy: Arc<str>,
}

impl Hasher {
    /// A hasher with the production cost, as many at once as there are cores.
    ///
    /// # Errors
    /// When argon2 refuses its parameters or the first hash fails.
    pub fn new(entropy: Entropy) -> Result<Self, Error> {
        Self::with_params(entropy, Params::new(19 * 1024, 2, 1, None).map_err(broken)?)
    }

    /// A hasher of another cost: tests use a small one.
    ///
    /// # Errors
    /// When the first hash fails.
    pub fn with_params(entropy: Entropy, params: Params) -> Result<Self, Error> {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hash(&argon2, "decoy", &entropy)?.into();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            argon2,
            queue: FairQueue::new(cores, Bounds::for_cores(cores)),
            entropy,
            decoy,
        })
    }

    /// Hashes a new password into a PHC string.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many of this share wait.
    pub async fn hash(&self, share: Share, password: &SecretString) -> Result<String, Error> {
        let permit = self.queue.acquire(share).await?;
        let (argon2, entropy, password) =
            (self.argon2.clone(), self.entropy.clone(), nfc(password));
        blocking(permit, move || {
            hash(&argon2, password.expose_secret(), &entropy)
        })
        .await
    }

    /// Checks a password against a stored PHC string. Without one (an unknown user) it takes the
    /// same time against a decoy and says no, so that time tells nobody who has an account.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many of this share wait, [`Error::Broken`] when the stored hash
    /// cannot be read.
    pub async fn verify(
        &self,
        share: Share,
        password: &SecretString,
        stored: Option<&str>,
    ) -> Result<bool, Error> {
        let permit = self.queue.acquire(share).await?;
        let known = stored.is_some();
        let phc = stored.map_or_else(|| self.decoy.to_string(), str::to_owned);
        let (argon2, password) = (self.argon2.clone(), nfc(password));
        blocking(permit, move || {
            let parsed = PasswordHash::new(&phc).map_err(broken)?;
            Ok(argon2
                .verify_password(password.expose_secret().as_bytes(), &parsed)
                .is_ok())
        })
        .await
        .map(|matches| matches && known)
    }

    /// Whether one more of a share would be let in now: for refusing before anything is done.
    ///
    /// # Errors
    /// [`Error::Busy`].
    pub fn room(&self, share: Share) -> Result<(), Error> {
        if self.queue.has_room(share) {
            Ok(())
        } else {
            Err(Busy.into())
        }
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Hasher")
    }
}

/// A password in Unicode's composed form (NFC): the same characters, however a keyboard makes them.
pub(crate) fn nfc(password: &SecretString) -> SecretString {
    let text = password.expose_secret();
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => password.clone(),
        _ => text.nfc().collect::<String>().into(),
    }
}

fn hash(argon2: &Argon2<'_>, password: &str, entropy: &Entropy) -> Result<String, Error> {
    let salt = entropy.bytes::<16>();
    let hash = argon2
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(broken)?;
    Ok(hash.to_string())
}

/// Works off the threads that serve requests. The permit goes on when the work is done: a client
/// that hangs up meanwhile does not stop it.
async fn blocking<T: Send + 'static>(
    permit: Permit,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let work = move || {
        let _permit = permit;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(broken)?
}

#[expect(clippy::needless_pass_by_value, reason = "shaped for map_err")]
fn broken(error: impl ToString) -> Error {
    Error::Broken(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARE: fn() -> Share = Share::operators;

    fn cheap() -> Hasher {
        let params = Params::new(8, 1, 1, None).unwrap();
        Hasher::with_params(Entropy::seeded(1), params).unwrap()
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let hasher = cheap();
        let stored = hasher.hash(SHARE(), &"correct horse".into()).await.unwrap();
        assert!(
            hasher
                .verify(SHARE(), &"correct horse".into(), Some(&stored))
                .await
                .unwrap()
        );
        assert!(
            !hasher
                .verify(SHARE(), &"correct horsE".into(), Some(&stored))
                .await
                .unwrap()
        );
    }

    #[tokio::test]
    async fn a_password_is_the_same_however_its_characters_are_composed() {
        let hasher = cheap();
        let (composed, decomposed) = ("p\u{e4}ssw\u{f6}rd", "pa\u{308}sswo\u{308}rd");
        for (set, typed) in [(composed, decomposed), (decomposed, composed)] {
            let stored = hasher.hash(SHARE(), &set.into()).await.unwrap();
            assert!(
                hasher
                    .verify(SHARE(), &typed.into(), Some(&stored))
                    .await
                    .unwrap()
            );
            let other = hasher
                .verify(SHARE(), &"password".into(), Some(&stored))
                .await;
            assert!(!other.unwrap());
        }
    }

    #[tokio::test]
    async fn an_unknown_user_is_refused_even_with_the_decoys_password() {
        assert!(
            !cheap()
                .verify(SHARE(), &"decoy".into(), None)
                .await
                .unwrap()
        );
    }

    #[tokio::test]
    async fn a_broken_hash_is_an_error_and_not_a_no() {
        let answer = cheap()
            .verify(SHARE(), &"x".into(), Some("not a hash"))
            .await;
        assert!(matches!(answer, Err(Error::Broken(_))));
    }

    #[tokio::test]
    async fn who_hangs_up_meanwhile_holds_a_core_until_the_work_is_done() {
        let bounds = Bounds::for_cores(1);
        let queue = FairQueue::new(1, bounds);
        let (gate, closed) = std::sync::mpsc::channel::<()>();
        let (began, has_begun) = tokio::sync::oneshot::channel();
        let permit = queue.acquire(SHARE()).await.unwrap();
        let work = tokio::spawn(blocking(permit, move || {
            let _ = began.send(());
            Ok(closed.recv().is_ok())
        }));
        has_begun.await.unwrap();
        work.abort();
        assert!(work.await.unwrap_err().is_cancelled());
        assert_eq!(queue.free(), 0);
        gate.send(()).unwrap();
        queue.acquire(SHARE()).await.unwrap();
    }

    #[tokio::test]
    async fn production_hashes_carry_the_documented_cost() {
        let hasher = Hasher::new(Entropy::seeded(1)).unwrap();
        let stored = hasher.hash(SHARE(), &"x".into()).await.unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{stored}"
        );
    }
}
