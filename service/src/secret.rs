//! Bearer secrets: minted at random, handed out once, kept only as a digest.
//!
//! A secret of 256 random bits needs no slow hash: nobody searches that space. SHA-256 keeps a
//! stolen table useless and a look-up one index probe.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::entropy::Entropy;

/// The SHA-256 digest of a bearer secret: all that is ever stored of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of a secret as it was presented.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// The digest of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest under which a one-time sign-in code is stored among the sessions. It is not the
    /// digest of the code itself, so that nobody can use the code as a session's secret.
    #[must_use]
    pub fn of_sign_in_code(code: &str) -> Self {
        Self::of(&format!("sign-in code {code}"))
    }

    /// The digest's bytes, as a `bytea` parameter.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The digest's bytes, by value.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0
    }

    /// Reads a digest back from a `bytea` column; `None` unless it is 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Half of the digest, for a column of fixed width: as hard to guess as the whole.
    #[must_use]
    pub fn half(&self) -> Uuid {
        let half = self.0.first_chunk::<16>();
        half.map_or_else(Uuid::nil, |half| Uuid::from_bytes(*half))
    }

    /// Compares without telling by time where two digests differ.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Digest(…)")
    }
}

/// A secret just minted: the text to hand out once, and the digest to keep.
#[derive(Debug)]
pub struct Minted {
    /// The secret itself; never stored, never logged.
    pub secret: SecretString,
    /// What is stored in its place.
    pub digest: Digest,
}

impl Minted {
    /// Mints 256 random bits as `<prefix><43 characters of base64url>`. The prefix lets secret
    /// scanners, and people, tell what leaked.
    #[must_use]
    pub fn new(entropy: &Entropy, prefix: &str) -> Self {
        let text = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(entropy.bytes::<32>()));
        let digest = Digest::of(&text);
        Self {
            secret: text.into(),
            digest,
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_minted_secret_is_found_again_by_its_digest() {
        let minted = Minted::new(&Entropy::seeded(3), "tnt_at_");
        let text = minted.secret.expose_secret();
        assert_eq!(text.len(), "tnt_at_".len() + 43);
        assert!(Digest::of(text).matches(&minted.digest));
        assert!(!Digest::of(&format!("{text} ")).matches(&minted.digest));
    }

    #[test]
    fn debug_shows_nothing() {
        let minted = Minted::new(&Entropy::seeded(3), "");
        assert!(!format!("{minted:?}").contains(minted.secret.expose_secret()));
    }
}
