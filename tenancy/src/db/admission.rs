//! Who may use a lane's connections, and in which order.
//!
//! A tenant begins with one of its lane's connections, and may hold one more each time that it was
//! quick with all it had, up to all but one. Tenants that were slow of late hold at most half of them
//! together. So whatever a tenant does (a table that it has locked, a query that takes seconds), its
//! neighbours find a connection. Those who wait are served in turn between tenants, and how many wait
//! is bounded, for a tenant and for the lane.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::{
    sql::Access,
    waiting::{BRIEF, Bounds, Full, State},
};
use crate::names::TenantId;

/// Why there is no permit: too many of the tenant wait, or one waited too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Busy;

/// The permits for one lane's connections; clones share them.
#[derive(Clone)]
pub(super) struct Admission(Arc<Inner>);

struct Inner {
    wait: Duration,
    state: Mutex<State<oneshot::Sender<ConnectionPermit>>>,
}

/// The right to hold one of a lane's connections; dropped, it goes to whoever is next.
pub(super) struct ConnectionPermit {
    /// `None` only where it could not be passed on.
    admission: Option<Admission>,
    slot: usize,
}

/// A place among those who wait; given up when dropped.
struct Place<'a> {
    admission: &'a Admission,
    tenant: TenantId,
    id: u64,
}

impl Admission {
    /// Permits for so many connections, for each of which one waits at most that long.
    pub(super) fn new(bounds: Bounds, wait: Duration) -> Self {
        Self(Arc::new(Inner {
            wait,
            state: Mutex::new(State::new(bounds)),
        }))
    }

    /// A permit, as soon as it is the tenant's turn.
    ///
    /// # Errors
    /// [`Busy`] at once when too many wait, or when the wait is over.
    pub(super) async fn acquire(
        &self,
        tenant: TenantId,
        access: Access,
    ) -> Result<ConnectionPermit, Busy> {
        let (_place, turn) = {
            let mut state = self.state();
            if let Some(slot) = state.begin(tenant, access, Instant::now()) {
                return Ok(self.permit(slot));
            }
            let (sender, turn) = oneshot::channel();
            let id = state.push(tenant, access, sender).map_err(|Full| Busy)?;
            let admission = self;
            (
                Place {
                    admission,
                    tenant,
                    id,
                },
                turn,
            )
        };
        let turn = tokio::time::timeout(self.0.wait, self.turn(turn)).await;
        turn.ok().and_then(Result::ok).ok_or(Busy)
    }

    /// Waits for a permit, and looks from time to time who may have one meanwhile, since connections
    /// that are used for long come to count for less.
    async fn turn(
        &self,
        mut turn: oneshot::Receiver<ConnectionPermit>,
    ) -> Result<ConnectionPermit, oneshot::error::RecvError> {
        let mut pause = BRIEF;
        loop {
            if let Ok(turn) = tokio::time::timeout(pause, &mut turn).await {
                return turn;
            }
            if pause == BRIEF {
                metrics::counter!("tenant_lane_waits_total").increment(1);
            }
            self.pass_on();
            pause *= 2;
        }
    }

    fn permit(&self, slot: usize) -> ConnectionPermit {
        ConnectionPermit {
            admission: Some(self.clone()),
            slot,
        }
    }

    /// Gives permits to whoever may have one now. One who hung up in between refuses it.
    fn pass_on(&self) {
        loop {
            let next = self.state().next(Instant::now());
            let Some((slot, sender)) = next else { return };
            if let Err(mut refused) = sender.send(self.permit(slot)) {
                refused.admission = None;
                self.state().end(slot, Instant::now());
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State<oneshot::Sender<ConnectionPermit>>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionPermit {
    /// Which of the lane's connections it is for.
    pub(super) fn slot(&self) -> usize {
        self.slot
    }

    /// The connection is there, and its use begins: what counts as slow is measured from here.
    pub(super) fn start(&self) {
        if let Some(admission) = &self.admission {
            admission.state().start(self.slot, Instant::now());
        }
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        if let Some(admission) = self.admission.take() {
            admission.state().end(self.slot, Instant::now());
            admission.pass_on();
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.admission.state().remove(self.tenant, self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn tenant(number: u128) -> TenantId {
        TenantId::new(Uuid::from_u128(number))
    }

    #[tokio::test]
    async fn a_permit_given_back_goes_to_whoever_waits() {
        let admission = Admission::new(Bounds::of(2, 1), Duration::from_secs(60));
        let held = admission.acquire(tenant(1), Access::Write).await.unwrap();
        let waits = admission.acquire(tenant(1), Access::Write);
        let (permit, ()) = tokio::join!(waits, async { drop(held) });
        assert!(permit.is_ok());
    }

    #[tokio::test]
    async fn a_neighbour_is_admitted_whatever_one_tenant_holds() {
        let admission = Admission::new(Bounds::of(4, 1), Duration::ZERO);
        let _held = admission.acquire(tenant(1), Access::Write).await.unwrap();
        assert_eq!(
            admission.acquire(tenant(1), Access::Write).await.err(),
            Some(Busy)
        );
        assert!(admission.acquire(tenant(2), Access::Write).await.is_ok());
    }

    #[tokio::test]
    async fn one_who_waited_too_long_leaves_nothing_behind() {
        let admission = Admission::new(Bounds::of(1, 1), Duration::ZERO);
        let held = admission.acquire(tenant(1), Access::Write).await.unwrap();
        assert_eq!(
            admission.acquire(tenant(2), Access::Write).await.err(),
            Some(Busy)
        );
        drop(held);
        assert!(admission.state().is_idle());
    }
}
