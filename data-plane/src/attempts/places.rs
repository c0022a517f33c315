//! Attempts under way in this process, a few at once for each of what they are counted by.
//!
//! An attempt counts as failed until its password was checked: without a bound, many right ones at
//! once would spend the budget of failures.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use service::password;
use tenancy::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::keys::Key;
use crate::error::Error;

/// How many may wait for a place with the same key.
const MAX_WAITING: usize = 128;
/// How long they may.
const MAX_WAIT: Duration = Duration::from_secs(10);

type Gates = HashMap<(TenantId, Uuid), Gate>;

/// The places with each key. Nothing is kept of a key that nobody uses.
#[derive(Clone, Default)]
pub(super) struct Places(Arc<Mutex<Gates>>);

struct Gate {
    places: Arc<Semaphore>,
    /// Who has a place or waits for one.
    users: usize,
}

/// A place with each key of an attempt, free again when dropped.
pub(super) struct Place {
    all: Places,
    tenant: TenantId,
    entered: Vec<Uuid>,
    permits: Vec<OwnedSemaphorePermit>,
}

impl Places {
    /// Takes a place with each key, in their order.
    ///
    /// # Errors
    /// `Busy` at once when too many wait for the same, or when the wait is over.
    pub(super) async fn enter(&self, tenant: TenantId, keys: &[Key]) -> Result<Place, Error> {
        let mut place = Place {
            all: self.clone(),
            tenant,
            entered: Vec::with_capacity(keys.len()),
            permits: Vec::with_capacity(keys.len()),
        };
        let entered = async {
            for key in keys {
                let places = self.line(tenant, key)?;
                place.entered.push(key.id);
                let permit = places.acquire_owned().await;
                place
                    .permits
                    .push(permit.map_err(|_| password::Error::Busy)?);
            }
            Ok(())
        };
        match tokio::time::timeout(MAX_WAIT, entered).await {
            Ok(Ok(())) => Ok(place),
            Ok(Err(busy)) => Err(Error::Password(busy)),
            Err(_) => Err(Error::Password(password::Error::Busy)),
        }
    }

    fn line(&self, tenant: TenantId, key: &Key) -> Result<Arc<Semaphore>, password::Error> {
        let mut gates = self.gates();
        let gate = gates.entry((tenant, key.id)).or_insert_with(|| Gate {
            places: Arc::new(Semaphore::new(key.at_once)),
            users: 0,
        });
        if gate.users >= key.at_once + MAX_WAITING {
            return Err(password::Error::Busy);
        }
        gate.users += 1;
        Ok(Arc::clone(&gate.places))
    }

    fn gates(&self) -> MutexGuard<'_, Gates> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.permits.clear();
        let mut gates = self.all.gates();
        for id in &self.entered {
            let key = (self.tenant, *id);
            if let Some(gate) = gates.get_mut(&key) {
                gate.users -= 1;
                if gate.users == 0 {
                    gates.remove(&key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_few_at_once_have_a_place_and_nothing_is_kept_of_them() {
        let places = Places::default();
        let tenant = TenantId::new(Uuid::from_u128(1));
        let key = |id, at_once| Key {
            id: Uuid::from_u128(id),
            budget: 1,
            at_once,
        };
        let keys = [key(1, 1), key(2, 2)];
        let first = places.enter(tenant, &keys).await.unwrap();
        let waiting = tokio::spawn({
            let places = places.clone();
            async move { places.enter(tenant, &keys).await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        places.enter(tenant, &[key(2, 2)]).await.unwrap();
        drop(first);
        waiting.await.unwrap().unwrap();
        assert!(places.gates().is_empty());
    }
}
