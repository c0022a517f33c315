//! Memory that does not lie for longer than a second.
//!
//! An entry is used while the [`ChangeFeed`] is fresh, since then it would have been told of a change,
//! and up to a greatest age; without the feed it is used for one second. Absence is never kept.

use std::{
    hash::Hash,
    time::{Duration, Instant},
};

use moka::sync::Cache;

use crate::{feed::ChangeFeed, names::TenantId};

/// How long an entry is used while nobody tells of changes.
const MAX_AGE_WITHOUT_NOTICES: Duration = Duration::from_secs(1);

/// Keeps what was loaded of tenants, by any key.
pub struct NotifiedCache<K, V> {
    evictor: Evictor<K, V>,
    feed: ChangeFeed,
    max_age: Duration,
}

/// What a cache holds, for whoever must forget some of it. Subscribers of the feed hold this and
/// not the cache, which holds the feed in turn.
#[derive(Clone)]
pub struct Evictor<K, V>(Cache<K, (Instant, V)>);

impl<K, V> NotifiedCache<K, V>
where
    K: Clone + Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Keeps at most `capacity` entries, each for at most `max_age`.
    #[must_use]
    pub fn new(feed: &ChangeFeed, capacity: u64, max_age: Duration) -> Self {
        let entries = Cache::builder()
            .max_capacity(capacity)
            .time_to_live(max_age)
            .support_invalidation_closures()
            .build();
        Self {
            evictor: Evictor(entries),
            feed: feed.clone(),
            max_age,
        }
    }

    /// What it holds.
    #[must_use]
    pub fn evictor(&self) -> Evictor<K, V> {
        self.evictor.clone()
    }

    /// The entry, if it can still be trusted.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<V> {
        let (loaded, value) = self.evictor.0.get(key)?;
        let limit = if self.feed.is_fresh() {
            self.max_age
        } else {
            MAX_AGE_WITHOUT_NOTICES
        };
        (loaded.elapsed() < limit).then_some(value)
    }

    /// The entry, loaded if need be. What was loaded while there was news of its tenant is
    /// answered, but not kept.
    ///
    /// # Errors
    /// Those of `load`.
    pub async fn get_or_load<E>(
        &self,
        tenant: TenantId,
        key: K,
        load: impl Future<Output = Result<Option<V>, E>>,
    ) -> Result<Option<V>, E> {
        if let Some(value) = self.get(&key) {
            return Ok(Some(value));
        }
        let (epoch, asked) = (self.feed.epoch(tenant), Instant::now());
        let Some(value) = load.await? else {
            return Ok(None);
        };
        self.evictor.0.insert(key.clone(), (asked, value.clone()));
        // Inserted first and checked second, so that news in between cannot slip past both.
        if self.feed.epoch(tenant) != epoch {
            self.evictor.forget(&key);
        }
        Ok(Some(value))
    }
}

impl<K, V> Evictor<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Forgets one entry.
    pub fn forget(&self, key: &K) {
        self.0.invalidate(key);
    }

    /// Forgets the entries of which `stale` holds.
    pub fn forget_where(&self, stale: impl Fn(&K, &V) -> bool + Send + Sync + 'static) {
        let stale = move |key: &K, value: &(Instant, V)| stale(key, &value.1);
        if self.0.invalidate_entries_if(stale).is_err() {
            self.0.invalidate_all();
        }
    }

    /// Forgets everything.
    pub fn forget_all(&self) {
        self.0.invalidate_all();
    }
}
