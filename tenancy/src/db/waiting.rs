//! The state of a lane's [`admission`](super::admission): who holds its connections, who waits for
//! one, and what is known of tenants from how they used them of late. Time is an argument.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use super::sql::Access;
use crate::names::TenantId;

/// A connection used for longer makes its tenant a slow one.
const SLOW: Duration = Duration::from_millis(250);
/// A read that is under way for longer waits for something, and keeps no processor busy.
pub(super) const BRIEF: Duration = Duration::from_millis(25);
/// How long it is remembered of a tenant that it was slow, or that it was quick with several
/// connections.
const REMEMBERED_FOR: Duration = Duration::from_secs(30);

/// How many connections a lane has, and how they are shared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) connections: usize,
    /// Of these, for reads that are as brief as reads are. More of them at once would not be done
    /// sooner, and each costs more the more connections take turns at a processor and its caches.
    pub(super) reads: usize,
    /// Of these, for one tenant that was quick with as many but one.
    pub(super) tenant: usize,
    /// Of these, for all tenants together that were slow of late.
    pub(super) slow: usize,
    /// How many requests of one tenant wait.
    pub(super) tenant_waits: usize,
    /// How many requests wait in all.
    pub(super) waits: usize,
}

impl Bounds {
    /// All but one of the connections for a tenant, half of them for slow ones; 64 waiting requests
    /// for each that a tenant may have, and four times that in all.
    pub(super) fn of(connections: usize, reads: usize) -> Self {
        let tenant = (connections - 1).max(1);
        Self {
            connections,
            reads: reads.min(connections),
            tenant,
            slow: (connections / 2).max(1),
            tenant_waits: 64 * tenant,
            waits: 256 * tenant,
        }
    }
}

/// No more may wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

/// A connection in use.
#[derive(Clone, Copy)]
struct Use {
    tenant: TenantId,
    access: Access,
    taken: Instant,
    since: Option<Instant>,
}

/// How a tenant used its connections of late.
#[derive(Clone, Copy)]
enum Pace {
    /// One of them for longer than [`SLOW`].
    Slow,
    /// All that it may hold, and none for long: so many it may hold now.
    Quick(usize),
}

/// One who waits.
struct Waiting<W> {
    id: u64,
    access: Access,
    waiter: W,
}

/// Who holds connections and who waits for one; `W` is how one who waits gets a permit.
pub(super) struct State<W> {
    bounds: Bounds,
    slots: Vec<Option<Use>>,
    /// What is known of tenants, each until then.
    known: HashMap<TenantId, (Pace, Instant)>,
    waiting: usize,
    next_id: u64,
    lines: HashMap<TenantId, VecDeque<Waiting<W>>>,
    /// Tenants of which somebody waits, the next to be served first.
    turns: VecDeque<TenantId>,
}

impl<W> State<W> {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            slots: vec![None; bounds.connections],
            known: HashMap::new(),
            waiting: 0,
            next_id: 0,
            lines: HashMap::new(),
            turns: VecDeque::new(),
        }
    }

    /// A slot for a tenant of which nobody waits, if it may have one now.
    pub(super) fn begin(
        &mut self,
        tenant: TenantId,
        access: Access,
        now: Instant,
    ) -> Option<usize> {
        if self.lines.contains_key(&tenant) {
            return None;
        }
        self.take(tenant, access, now)
    }

    /// Measures the use of a slot from now.
    pub(super) fn start(&mut self, slot: usize, now: Instant) {
        if let Some(Some(used)) = self.slots.get_mut(slot) {
            used.since = Some(now);
        }
    }

    /// Ends the use of a slot. One that took long makes its tenant a slow one; one that did not, of a
    /// tenant that held all that it may hold and wants more, allows it one more.
    pub(super) fn end(&mut self, slot: usize, now: Instant) {
        let Some(used) = self.slots.get_mut(slot).and_then(Option::take) else {
            return;
        };
        let tenant = used.tenant;
        if is_long(used, now) {
            self.remember(tenant, Pace::Slow, now);
        } else if used.since.is_some() && !self.is_slow(tenant, now) {
            let allowed = self.allowed(tenant, now);
            let wants_more = allowed > 1 || self.lines.contains_key(&tenant);
            if wants_more && self.held_by(tenant) + 1 >= allowed {
                let more = (allowed + 1).min(self.bounds.tenant);
                self.remember(tenant, Pace::Quick(more), now);
            }
        }
    }

    /// Adds one to those who wait; answers what [`remove`](Self::remove) knows it by.
    pub(super) fn push(
        &mut self,
        tenant: TenantId,
        access: Access,
        waiter: W,
    ) -> Result<u64, Full> {
        let of_tenant = self.lines.get(&tenant).map_or(0, VecDeque::len);
        if of_tenant >= self.bounds.tenant_waits || self.waiting >= self.bounds.waits {
            return Err(Full);
        }
        if of_tenant == 0 {
            self.turns.push_back(tenant);
        }
        let id = self.next_id;
        self.next_id += 1;
        self.waiting += 1;
        let waiting = Waiting { id, access, waiter };
        self.lines.entry(tenant).or_default().push_back(waiting);
        Ok(id)
    }

    /// The next who may have a slot, with the slot. Its tenant is last in turn then.
    pub(super) fn next(&mut self, now: Instant) -> Option<(usize, W)> {
        let first = |tenant: &TenantId| {
            let access = self.lines.get(tenant)?.front()?.access;
            self.may_begin(*tenant, access, now).then_some(*tenant)
        };
        let tenant = self.turns.iter().find_map(first)?;
        let line = self.lines.get_mut(&tenant)?;
        let Waiting { access, waiter, .. } = line.pop_front()?;
        let ended = line.is_empty();
        self.left(tenant, ended);
        if !ended {
            self.turns.retain(|other| *other != tenant);
            self.turns.push_back(tenant);
        }
        Some((self.take(tenant, access, now)?, waiter))
    }

    /// Removes one who does not wait any longer.
    pub(super) fn remove(&mut self, tenant: TenantId, id: u64) {
        let Some(line) = self.lines.get_mut(&tenant) else {
            return;
        };
        if let Some(at) = line.iter().position(|other| other.id == id) {
            line.remove(at);
            let ended = line.is_empty();
            self.left(tenant, ended);
        }
    }

    /// Whether nothing is held, and nobody waits.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        let unused = self.slots.iter().all(Option::is_none);
        unused && self.waiting == 0 && self.lines.is_empty() && self.turns.is_empty()
    }

    /// Takes the tenant's own slot, or another that is free.
    fn take(&mut self, tenant: TenantId, access: Access, now: Instant) -> Option<usize> {
        if !self.may_begin(tenant, access, now) {
            return None;
        }
        let slot = self.free_slot(tenant, access, now)?;
        self.slots[slot] = Some(Use {
            tenant,
            access,
            taken: now,
            since: None,
        });
        Some(slot)
    }

    /// The first slot that is free, those that are the tenant's own before others. The slots for reads
    /// are left to reads as long as there are others, and a slow tenant keeps away from them.
    fn free_slot(&self, tenant: TenantId, access: Access, now: Instant) -> Option<usize> {
        let Bounds {
            reads, connections, ..
        } = self.bounds;
        let [read, write] = self.own_slots(tenant);
        let for_reads = (read..reads).chain(0..read);
        let others = (write..connections).chain(reads..write);
        let mut is_free = |slot: &usize| self.slots[*slot].is_none();
        if access == Access::Read && !self.is_slow(tenant, now) {
            for_reads.chain(others).find(&mut is_free)
        } else {
            others.chain(for_reads).find(&mut is_free)
        }
    }

    /// The slots that a tenant's reads and its writes have when they are free: a connection remembers
    /// every tenant that it meets.
    fn own_slots(&self, tenant: TenantId) -> [usize; 2] {
        let Bounds {
            reads, connections, ..
        } = self.bounds;
        let [.., last] = *tenant.as_uuid().as_bytes();
        let number = usize::from(last);
        let write = number % (connections - reads).max(1);
        [number % reads, (reads + write).min(connections)]
    }

    fn may_begin(&self, tenant: TenantId, access: Access, now: Instant) -> bool {
        if self.slots.iter().all(Option::is_some) {
            return false;
        }
        if access == Access::Read && !self.may_read(tenant, now) {
            return false;
        }
        if self.is_slow(tenant, now) {
            let used = self.slots.iter().flatten();
            let slow = used.filter(|used| self.is_slow(used.tenant, now)).count();
            return slow < self.bounds.slow;
        }
        self.held_by(tenant) < self.allowed(tenant, now)
    }

    /// Whether a read may begin: not while as many brief reads run as may, and not while another
    /// tenant's brief read is on its own connection, which will be free soon. A connection that met all
    /// tenants of the lane would have more statements to plan again whenever a schema is made.
    fn may_read(&self, tenant: TenantId, now: Instant) -> bool {
        let [own, _] = self.own_slots(tenant);
        let is_anothers = |used: Use| used.tenant != tenant && self.is_brief_read(used, now);
        let brief = |used: &&Use| self.is_brief_read(**used, now);
        !self.slots[own].is_some_and(is_anothers)
            && self.slots.iter().flatten().filter(brief).count() < self.bounds.reads
    }

    /// Whether it is a read that may be done soon, which those of slow tenants are not known to be.
    fn is_brief_read(&self, used: Use, now: Instant) -> bool {
        used.access == Access::Read
            && now.saturating_duration_since(used.taken) < BRIEF
            && !self.is_slow(used.tenant, now)
    }

    fn held_by(&self, tenant: TenantId) -> usize {
        let used = self.slots.iter().flatten();
        used.filter(|used| used.tenant == tenant).count()
    }

    /// How many connections a tenant may hold that is not slow: one, until it has been quick with
    /// that. So several of which nobody knows yet that they are slow do not take them all at once.
    fn allowed(&self, tenant: TenantId, now: Instant) -> usize {
        match self.known(tenant, now) {
            Some(Pace::Quick(allowed)) => allowed,
            _ => 1,
        }
    }

    fn is_slow(&self, tenant: TenantId, now: Instant) -> bool {
        let used = self.slots.iter().flatten();
        matches!(self.known(tenant, now), Some(Pace::Slow))
            || used
                .filter(|used| used.tenant == tenant)
                .any(|used| is_long(*used, now))
    }

    fn known(&self, tenant: TenantId, now: Instant) -> Option<Pace> {
        let (pace, until) = self.known.get(&tenant)?;
        (*until > now).then_some(*pace)
    }

    fn remember(&mut self, tenant: TenantId, pace: Pace, now: Instant) {
        let known = (pace, now + REMEMBERED_FOR);
        if self.known.insert(tenant, known).is_none() {
            self.known.retain(|_, (_, until)| *until > now);
        }
    }

    /// One of a tenant waits no longer, perhaps the last.
    fn left(&mut self, tenant: TenantId, last: bool) {
        self.waiting -= 1;
        if last {
            self.lines.remove(&tenant);
            self.turns.retain(|other| *other != tenant);
        }
    }
}

fn is_long(used: Use, now: Instant) -> bool {
    used.since
        .is_some_and(|since| now.saturating_duration_since(since) >= SLOW)
}

#[cfg(test)]
#[path = "waiting_tests.rs"]
mod tests;
