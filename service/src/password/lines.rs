//! The lines of a fair queue: who waits, whose turn it is, and who has to give up a place.
//!
//! Nothing is kept of a tenant or a network of which nobody waits.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use super::queue::{Owner, Share};
use crate::request::ClientNetwork;

type Network = Option<ClientNetwork>;

/// How many may wait, and how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Of one client network, at all tenants together.
    pub(super) network: usize,
    /// Of one tenant.
    pub(super) tenant: usize,
    /// In all.
    pub(super) total: usize,
    /// The longest that anyone waits.
    pub(super) wait: Duration,
}

impl Bounds {
    /// Two seconds' work for a network, four for a tenant, ten in all; on few cores as many as come
    /// at once when somebody signs hundreds up.
    pub(super) fn for_cores(cores: usize) -> Self {
        Self {
            network: (128 * cores).max(256),
            tenant: (256 * cores).max(512),
            total: (512 * cores).max(1024),
            wait: Duration::from_secs(10),
        }
    }
}

/// There is no place left for this share.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

/// All who wait.
pub(super) struct Lines<W> {
    waiting: usize,
    next_id: u64,
    owners: HashMap<Owner, Line<W>>,
    /// Owners of whom somebody waits, the next to be served first.
    turns: VecDeque<Owner>,
    /// How many wait by network, at all owners together.
    networks: HashMap<ClientNetwork, usize>,
}

/// Those who wait at one owner.
struct Line<W> {
    waiting: usize,
    networks: HashMap<Network, VecDeque<(u64, W)>>,
    /// Networks of which somebody waits, the next to be served first.
    turns: VecDeque<Network>,
}

impl<W> Default for Lines<W> {
    fn default() -> Self {
        Self {
            waiting: 0,
            next_id: 0,
            owners: HashMap::new(),
            turns: VecDeque::new(),
            networks: HashMap::new(),
        }
    }
}

impl<W> Default for Line<W> {
    fn default() -> Self {
        Self {
            waiting: 0,
            networks: HashMap::new(),
            turns: VecDeque::new(),
        }
    }
}

impl<W> Lines<W> {
    /// Whether there is a place for one more of a share, and whose last place it has to be.
    ///
    /// # Errors
    /// [`Full`] when the network is at its bound, or nobody's line is longer than this one.
    pub(super) fn admit(&self, share: Share, bounds: &Bounds) -> Result<Option<Share>, Full> {
        let of_network = share
            .network
            .and_then(|network| self.networks.get(&network));
        if of_network.is_some_and(|waiting| *waiting >= bounds.network) {
            return Err(Full);
        }
        let line = self.owners.get(&share.owner);
        if let Some(line) = line.filter(|line| line.waiting >= bounds.tenant) {
            let own = line.networks.get(&share.network).map_or(0, VecDeque::len);
            let (longest, waiting) = line.longest().ok_or(Full)?;
            return longer(share.owner, longest, waiting, own).map(Some);
        }
        if self.waiting < bounds.total {
            return Ok(None);
        }
        let own = line.map_or(0, |line| line.waiting);
        let longest = self.owners.iter().max_by_key(|(_, line)| line.waiting);
        let (owner, line) = longest.ok_or(Full)?;
        let (network, _) = line.longest().ok_or(Full)?;
        longer(*owner, network, line.waiting, own).map(Some)
    }

    /// Adds one to a line; answers what [`remove`](Self::remove) knows it by.
    pub(super) fn push(&mut self, share: Share, waiter: W) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let line = self.owners.entry(share.owner).or_default();
        if line.waiting == 0 {
            self.turns.push_back(share.owner);
        }
        line.push(share.network, id, waiter);
        self.waiting += 1;
        if let Some(network) = share.network {
            *self.networks.entry(network).or_default() += 1;
        }
        id
    }

    /// The next whose turn it is. Its tenant, and within that its network, is last in turn now.
    pub(super) fn pop(&mut self) -> Option<W> {
        let owner = self.turns.pop_front()?;
        let line = self.owners.get_mut(&owner)?;
        let (network, waiter) = line.pop()?;
        if line.waiting > 0 {
            self.turns.push_back(owner);
        }
        self.left(Share { owner, network });
        Some(waiter)
    }

    /// Removes one who does not wait any longer, if it still has its place.
    pub(super) fn remove(&mut self, share: Share, id: u64) -> Option<W> {
        self.take(share, |places| {
            let at = places.iter().position(|(other, _)| *other == id)?;
            places.remove(at)
        })
    }

    /// Removes the last of a share's line.
    pub(super) fn evict_last(&mut self, share: Share) -> Option<W> {
        self.take(share, VecDeque::pop_back)
    }

    /// Whether nothing is kept of anybody.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.waiting == 0
            && self.owners.is_empty()
            && self.turns.is_empty()
            && self.networks.is_empty()
    }

    fn take(
        &mut self,
        share: Share,
        from: impl FnOnce(&mut VecDeque<(u64, W)>) -> Option<(u64, W)>,
    ) -> Option<W> {
        let line = self.owners.get_mut(&share.owner)?;
        let (_, waiter) = from(line.networks.get_mut(&share.network)?)?;
        line.left(share.network);
        if line.waiting == 0 {
            self.turns.retain(|owner| *owner != share.owner);
        }
        self.left(share);
        Some(waiter)
    }

    /// One of a share is not in its line any longer.
    fn left(&mut self, share: Share) {
        self.waiting -= 1;
        if self
            .owners
            .get(&share.owner)
            .is_some_and(|line| line.waiting == 0)
        {
            self.owners.remove(&share.owner);
        }
        let Some(network) = share.network else { return };
        if let Some(waiting) = self.networks.get_mut(&network) {
            *waiting -= 1;
            if *waiting == 0 {
                self.networks.remove(&network);
            }
        }
    }
}

impl<W> Line<W> {
    fn longest(&self) -> Option<(Network, usize)> {
        let lengths = self
            .networks
            .iter()
            .map(|(network, places)| (*network, places.len()));
        lengths.max_by_key(|(_, waiting)| *waiting)
    }

    fn push(&mut self, network: Network, id: u64, waiter: W) {
        let places = self.networks.entry(network).or_default();
        if places.is_empty() {
            self.turns.push_back(network);
        }
        places.push_back((id, waiter));
        self.waiting += 1;
    }

    fn pop(&mut self) -> Option<(Network, W)> {
        let network = self.turns.pop_front()?;
        let (_, waiter) = self.networks.get_mut(&network)?.pop_front()?;
        self.turns.push_back(network);
        self.left(network);
        Some((network, waiter))
    }

    /// One of a network is not in its line any longer.
    fn left(&mut self, network: Network) {
        self.waiting -= 1;
        if self.networks.get(&network).is_some_and(VecDeque::is_empty) {
            self.networks.remove(&network);
            self.turns.retain(|other| *other != network);
        }
    }
}

/// A place is given up only where that makes the lines more equal.
fn longer(owner: Owner, network: Network, waiting: usize, own: usize) -> Result<Share, Full> {
    if waiting > own + 1 {
        Ok(Share { owner, network })
    } else {
        Err(Full)
    }
}
