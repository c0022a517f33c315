//! Randomness, as an argument.
//!
//! Everything unguessable (tokens, secrets, salts, ids) comes from an [`Entropy`]; `clippy.toml`
//! forbids the ambient generators.

use std::sync::{Arc, Mutex, PoisonError};

use rand::{Rng, SeedableRng, TryRng, rngs::StdRng, rngs::SysRng};
use uuid::Uuid;

use crate::clock::Clock;

/// A cryptographically secure generator, seeded once by the operating system.
///
/// The seed is drawn when the process starts, so that no request can fail for want of entropy.
#[derive(Clone)]
pub struct Entropy(Arc<Mutex<StdRng>>);

impl Entropy {
    /// A generator seeded by the operating system.
    ///
    /// # Errors
    /// When the operating system gives no entropy.
    pub fn system() -> std::io::Result<Self> {
        let mut seed = [0; 32];
        SysRng
            .try_fill_bytes(&mut seed)
            .map_err(std::io::Error::other)?;
        Ok(Self(Arc::new(Mutex::new(StdRng::from_seed(seed)))))
    }

    /// A generator that repeats itself for a seed: for tests that must be run again.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// `N` random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(&mut bytes);
        bytes
    }

    /// A fresh id: UUID version 7 (RFC 9562), so that ids made later sort later.
    #[must_use]
    pub fn id(&self, clock: &Clock) -> Uuid {
        let millis = u64::try_from(clock.now().unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }
}

impl std::fmt::Debug for Entropy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Entropy")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself_and_two_draws_differ() {
        let (one, two) = (Entropy::seeded(7), Entropy::seeded(7));
        let first: [u8; 32] = one.bytes();
        assert_eq!(first, two.bytes::<32>());
        assert_ne!(first, one.bytes::<32>());
    }

    #[test]
    fn ids_are_version_seven() {
        let id = Entropy::seeded(1).id(&Clock::system());
        assert_eq!(id.get_version_num(), 7);
    }
}
