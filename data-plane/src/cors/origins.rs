//! The origins that a tenant's clients registered, kept in memory.

use std::{collections::HashSet, sync::Arc};

use tenancy::{
    ChangeFeed, Dependencies, TenantId,
    cache::{Cached, NotifiedCache},
};
use url::Url;

use crate::error::Error;

/// Those of one tenant.
pub(crate) struct OriginSet(HashSet<Box<str>>);

impl OriginSet {
    pub(crate) fn contains(&self, origin: &str) -> bool {
        self.0.contains(origin)
    }
}

impl Cached<TenantId> for OriginSet {
    fn tenant(key: &TenantId) -> TenantId {
        *key
    }

    fn depends_on(&self, _: &TenantId) -> Dependencies {
        Dependencies::Clients
    }

    fn bytes(&self) -> usize {
        self.0.iter().map(|origin| origin.len() + 48).sum()
    }
}

/// By tenant; loaded again when a client of it was registered or removed.
pub(crate) struct Origins(NotifiedCache<TenantId, OriginSet>);

impl Origins {
    /// Of at most `capacity` tenants.
    pub(crate) fn new(feed: &ChangeFeed, capacity: u64) -> Self {
        Self(NotifiedCache::new(feed, capacity))
    }

    /// Those of a tenant, from the addresses that `load` reads of its clients.
    pub(crate) async fn of(
        &self,
        tenant: TenantId,
        load: impl Future<Output = Result<Vec<String>, Error>>,
    ) -> Result<Option<Arc<OriginSet>>, Error> {
        let load = async {
            let addresses = load.await?;
            let origins = addresses.iter().filter_map(|text| origin_of(text));
            let origins = origins.map(String::into_boxed_str).collect();
            Ok::<_, Error>(Some(OriginSet(origins)))
        };
        self.0.get_or_load(tenant, load).await
    }
}

/// The origin of an address as browsers write it; none for the private schemes of apps.
pub(crate) fn origin_of(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    matches!(url.scheme(), "https" | "http").then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for (address, origin) in [
            (
                "https://App.Example:443/cb?x=1",
                Some("https://app.example"),
            ),
            ("http://localhost:3000/cb", Some("http://localhost:3000")),
            (
                "https://b\u{fc}cher.example/",
                Some("https://xn--bcher-kva.example"),
            ),
            ("com.example.app:/cb", None),
            ("null", None),
            ("", None),
        ] {
            assert_eq!(origin_of(address).as_deref(), origin, "{address}");
        }
    }
}
