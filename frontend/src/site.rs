//! What every page needs: the planes, the views, randomness, and the names we go by.

use std::sync::{Arc, Mutex, PoisonError};

use service::{
    Entropy,
    hosts::PlatformHosts,
    settings::{Addresses, Network},
};

use crate::{
    StartError,
    description::Description,
    settings::Settings,
    upstream::{Offer, Upstream},
    views::Views,
};

/// Shared by all handlers; cheap to clone.
#[derive(Clone)]
pub(crate) struct Site(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) upstream: Upstream,
    pub(crate) description: Description,
    pub(crate) views: Views,
    pub(crate) addresses: Addresses,
    pub(crate) hosts: PlatformHosts,
    pub(crate) network: Network,
    pub(crate) entropy: Entropy,
    /// What the control plane offered when it last answered.
    offer: Mutex<Option<Offer>>,
}

impl std::ops::Deref for Site {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Site {
    pub(crate) fn new(
        settings: &Settings,
        addresses: &Addresses,
        network: &Network,
        entropy: &Entropy,
    ) -> Result<Self, StartError> {
        Ok(Self(Arc::new(Parts {
            upstream: Upstream::new(settings, network)?,
            description: Description::default(),
            views: Views::new()?,
            addresses: addresses.clone(),
            hosts: PlatformHosts::new(addresses),
            network: network.clone(),
            entropy: entropy.clone(),
            offer: Mutex::default(),
        })))
    }

    /// Keeps what strangers may sign up for, for when the control plane does not answer.
    pub(crate) fn remember_offer(&self, offer: &Offer) {
        let mut kept = self.offer.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some(offer.clone());
    }

    /// What strangers might sign up for when the control plane last answered.
    pub(crate) fn last_offer(&self) -> Option<Offer> {
        let kept = self.offer.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clone()
    }

    /// The name of a cookie: bound to its exact host by the browser (`__Host-`) where TLS
    /// allows it.
    pub(crate) fn cookie_name(&self, name: &str) -> String {
        let prefix = if self.addresses.secure() {
            "__Host-"
        } else {
            ""
        };
        format!("{prefix}{name}")
    }

    /// The platform's own front page, absolute.
    pub(crate) fn front_page(&self) -> String {
        self.addresses.pages().as_str().to_owned()
    }
}
