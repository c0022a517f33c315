//! A read-through cache with bounded staleness.
//!
//! An entry is used while the [`ChangeFeed`] is fresh and no notice has come of what it depends on,
//! and up to [`MAX_AGE`]; while the feed is not fresh, for one second. Absence is never cached.

use std::{
    hash::Hash,
    sync::Arc,
    time::{Duration, Instant},
};

use moka::sync::Cache;

use crate::{feed::ChangeFeed, names::TenantId, revisions::Dependencies};

/// How long an entry is used without another look-up, even when no notice comes.
pub const MAX_AGE: Duration = Duration::from_secs(60);

/// How long an entry is used while no notices arrive.
const MAX_AGE_WITHOUT_NOTICES: Duration = Duration::from_secs(1);

/// What can be cached under a key.
pub trait Cached<K> {
    /// The tenant that a key belongs to.
    fn tenant(key: &K) -> TenantId;

    /// Whose change ends the entry.
    fn depends_on(&self, key: &K) -> Dependencies;

    /// How many bytes it holds beyond its own size, for what a tenant can make long.
    fn bytes(&self) -> usize;
}

/// What an entry of usual length takes; longer ones count as several.
const ENTRY_BYTES: usize = 4096;

/// Entries of tenants, by any key.
pub struct NotifiedCache<K, V> {
    entries: Cache<K, Entry<V>>,
    feed: ChangeFeed,
}

struct Entry<V> {
    /// When its load began, by the feed's revisions and by time.
    revision: u64,
    loaded: Instant,
    value: Arc<V>,
}

impl<V> Clone for Entry<V> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            ..*self
        }
    }
}

impl<K, V> NotifiedCache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Cached<K> + Send + Sync + 'static,
{
    /// Keeps at most `capacity` entries of up to 4 KiB each; a longer one counts as several.
    #[must_use]
    pub fn new(feed: &ChangeFeed, capacity: u64) -> Self {
        let entries = Cache::builder()
            .max_capacity(capacity)
            .weigher(|_, entry: &Entry<V>| {
                u32::try_from(1 + entry.value.bytes() / ENTRY_BYTES).unwrap_or(u32::MAX)
            })
            .time_to_live(MAX_AGE);
        Self {
            entries: entries.build(),
            feed: feed.clone(),
        }
    }

    /// The entry, if it is current.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<Arc<V>> {
        let entry = self.entries.get(key)?;
        let limit = if self.feed.is_fresh() {
            MAX_AGE
        } else {
            MAX_AGE_WITHOUT_NOTICES
        };
        let depends = || entry.value.depends_on(key);
        let current = entry.loaded.elapsed() < limit
            && self
                .feed
                .is_current(entry.revision, V::tenant(key), depends);
        current.then_some(entry.value)
    }

    /// The entry, loaded if need be. What was loaded while a notice came that it depends on is
    /// answered, and not used again.
    ///
    /// # Errors
    /// Those of `load`.
    pub async fn get_or_load<E>(
        &self,
        key: K,
        load: impl Future<Output = Result<Option<V>, E>>,
    ) -> Result<Option<Arc<V>>, E> {
        if let Some(value) = self.get(&key) {
            return Ok(Some(value));
        }
        let (revision, loaded) = (self.feed.revision(), Instant::now());
        let Some(value) = load.await?.map(Arc::new) else {
            return Ok(None);
        };
        let entry = Entry {
            revision,
            loaded,
            value: Arc::clone(&value),
        };
        self.entries.insert(key, entry);
        Ok(Some(value))
    }
}
