//! A fair queue: permits for work that is dear, handed out share by share.
//!
//! Waiters are served in turn between tenants, and within a tenant in turn between client
//! networks, so that whoever asks often waits behind themselves alone. How many wait is bounded
//! for a network, for a tenant and in all. Where a tenant, or all together, is at its bound, the
//! last waiter of the longest line gives its place up to one from a shorter line: a crowd cannot
//! keep others from waiting, either.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::lines::{Bounds, Full, Lines};
use crate::request::ClientNetwork;

/// Whose turn it is: served in turn with all others that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Share {
    pub(super) owner: Owner,
    pub(super) network: Option<ClientNetwork>,
}

/// Who is served in turn, before networks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    Operators,
    SignUps,
    Tenant(u128),
}

impl Share {
    /// A client of a tenant.
    #[must_use]
    pub fn tenant(tenant: u128, network: ClientNetwork) -> Self {
        Self {
            owner: Owner::Tenant(tenant),
            network: Some(network),
        }
    }

    /// Somebody who signs a tenant up.
    #[must_use]
    pub fn sign_up(network: ClientNetwork) -> Self {
        Self {
            owner: Owner::SignUps,
            network: Some(network),
        }
    }

    /// An operator, by the control plane or the command line.
    #[must_use]
    pub fn operators() -> Self {
        Self {
            owner: Owner::Operators,
            network: None,
        }
    }
}

/// Why there is no permit: too many wait, or one waited too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Busy;

/// The queue; clones are one.
#[derive(Clone)]
pub(super) struct FairQueue(Arc<Inner>);

struct Inner {
    bounds: Bounds,
    state: Mutex<State>,
}

struct State {
    /// Permits that nobody holds. While anybody waits there are none.
    free: usize,
    lines: Lines<oneshot::Sender<Permit>>,
}

/// The right to work; dropped, it goes to the next. Empty only where it was passed on.
pub(super) struct Permit(Option<FairQueue>);

/// A place in line. Dropped before its turn, it is somebody else's.
struct Place<'a> {
    queue: &'a FairQueue,
    share: Share,
    id: u64,
}

enum Entered<'a> {
    Now(Permit),
    Waits(Place<'a>, oneshot::Receiver<Permit>),
}

impl FairQueue {
    pub(super) fn new(permits: usize, bounds: Bounds) -> Self {
        Self(Arc::new(Inner {
            bounds,
            state: Mutex::new(State {
                free: permits,
                lines: Lines::default(),
            }),
        }))
    }

    /// A permit, as soon as it is this share's turn.
    ///
    /// # Errors
    /// [`Busy`] at once when too many wait, or later when the wait is over or the place went to
    /// a shorter line.
    pub(super) async fn acquire(&self, share: Share) -> Result<Permit, Busy> {
        match self.enter(share)? {
            Entered::Now(permit) => Ok(permit),
            Entered::Waits(_place, turn) => {
                let turn = tokio::time::timeout(self.0.bounds.wait, turn).await;
                turn.ok().and_then(Result::ok).ok_or(Busy)
            }
        }
    }

    /// Whether one more of this share would be let in now.
    pub(super) fn has_room(&self, share: Share) -> bool {
        let state = self.state();
        state.free > 0 || state.lines.admit(share, &self.0.bounds).is_ok()
    }

    fn enter(&self, share: Share) -> Result<Entered<'_>, Busy> {
        let mut state = self.state();
        if state.free > 0 {
            state.free -= 1;
            return Ok(Entered::Now(Permit(Some(self.clone()))));
        }
        let room = state.lines.admit(share, &self.0.bounds);
        if let Some(longest) = room.map_err(|Full| Busy)? {
            // Its sender is dropped: that waiter is told that it is too busy.
            state.lines.evict_last(longest);
        }
        let (sender, turn) = oneshot::channel();
        let id = state.lines.push(share, sender);
        let place = Place {
            queue: self,
            share,
            id,
        };
        Ok(Entered::Waits(place, turn))
    }

    /// Gives a permit to the next whose turn it is. One who hung up in between refuses it.
    fn release(&self) {
        while let Some(sender) = self.next() {
            match sender.send(Permit(Some(self.clone()))) {
                Ok(()) => return,
                Err(mut refused) => refused.0 = None,
            }
        }
    }

    fn next(&self) -> Option<oneshot::Sender<Permit>> {
        let mut state = self.state();
        let next = state.lines.pop();
        if next.is_none() {
            state.free += 1;
        }
        next
    }

    /// How many permits nobody holds.
    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.state().free
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(queue) = self.0.take() {
            queue.release();
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.queue.state().lines.remove(self.share, self.id);
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
