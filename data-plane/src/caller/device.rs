//! The cookie by which a device that has signed in before is known again.
//!
//! It proves nothing and opens nothing: it only says with whose guesses its own are counted. Only its
//! digest is kept, bound to an account.

use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use service::{Digest, Entropy, Minted, settings::Addresses};
use uuid::Uuid;

use super::cookie::Cookie;
use crate::store::devices::KNOWN_FOR;

const COOKIE: Cookie = Cookie("tenantry_device");

/// A device, as its cookie names it.
pub(crate) struct Device {
    secret: SecretString,
    /// What is kept of the secret.
    pub(crate) id: Uuid,
}

impl Device {
    /// The device that a request's cookie names, if it has one.
    pub(crate) fn of(headers: &HeaderMap, addresses: &Addresses) -> Option<Self> {
        let secret = COOKIE.read(headers, addresses)?;
        let id = Digest::of(&secret).half();
        Some(Self {
            secret: secret.into(),
            id,
        })
    }

    /// A device that is seen for the first time.
    pub(crate) fn new(entropy: &Entropy) -> Self {
        let Minted { secret, digest } = Minted::new(entropy, "tnt_dv_");
        Self {
            secret,
            id: digest.half(),
        }
    }

    /// The `Set-Cookie` value by which it is known again.
    pub(crate) fn cookie(&self, addresses: &Addresses) -> HeaderValue {
        let seconds = u32::try_from(KNOWN_FOR.whole_seconds()).unwrap_or(u32::MAX);
        COOKIE.set(addresses, self.secret.expose_secret(), seconds)
    }
}
