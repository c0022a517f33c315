//! Which cached entries are still current.
//!
//! Every change notice gets a number, the revision. An entry carries the revision at which its load
//! began; it is current unless something that it depends on has changed at a later one. So a notice
//! costs the update of a map, however many entries there are, and nothing is searched.
//!
//! What is kept of notices is bounded: of a tenant with many, all entries that depend on revocations
//! are dropped at once in place of single ones, and where too many tenants have some, everything.

use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    names::TenantId,
    notice::{ChangeNotice, Revocation},
};

const SHARDS: usize = 64;
/// Tenants of a shard with changes that are kept.
const MAX_TENANTS: usize = 1024;
/// Revocations that are kept of a tenant, and of all tenants of a shard.
const MAX_REVOCATIONS_OF_TENANT: usize = 256;
const MAX_REVOCATIONS: usize = 4096;

/// What an entry depends on besides time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dependencies {
    /// The tenant's row in the registry.
    Tenant,
    /// That nothing of these was revoked.
    Unrevoked(Vec<Revocation>),
    /// That no client of the tenant was added or revoked.
    Clients,
}

/// The latest revision of whatever has changed.
pub(crate) struct Revisions {
    latest: AtomicU64,
    everything: AtomicU64,
    shards: Vec<RwLock<Shard>>,
    /// After how long no entry is used any more that was loaded before a change.
    max_age: Duration,
}

#[derive(Default)]
struct Shard {
    tenants: HashMap<TenantId, Changes>,
    revocations: usize,
}

/// The latest revisions of one tenant.
struct Changes {
    row: u64,
    all_revoked: u64,
    clients: u64,
    revoked: HashMap<Revocation, u64>,
    at: Instant,
}

impl Revisions {
    pub(crate) fn new(max_age: Duration) -> Self {
        Self {
            latest: AtomicU64::new(0),
            everything: AtomicU64::new(0),
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            max_age,
        }
    }

    /// The revision of a load that begins now.
    pub(crate) fn latest(&self) -> u64 {
        self.latest.load(Ordering::SeqCst)
    }

    /// Whether what was loaded at a revision is current.
    pub(crate) fn is_current(
        &self,
        loaded: u64,
        tenant: TenantId,
        dependencies: impl FnOnce() -> Dependencies,
    ) -> bool {
        if loaded >= self.latest() {
            return true;
        }
        if loaded < self.everything.load(Ordering::SeqCst) {
            return false;
        }
        let shard = self.shard(tenant).read();
        let shard = shard.unwrap_or_else(PoisonError::into_inner);
        let Some(changes) = shard.tenants.get(&tenant) else {
            return true;
        };
        match dependencies() {
            Dependencies::Tenant => loaded >= changes.row,
            Dependencies::Clients => loaded >= changes.all_revoked.max(changes.clients),
            Dependencies::Unrevoked(revocations) => {
                let later = |revocation| {
                    changes
                        .revoked
                        .get(revocation)
                        .is_some_and(|at| loaded < *at)
                };
                loaded >= changes.all_revoked && !revocations.iter().any(later)
            }
        }
    }

    /// Takes a notice in.
    pub(crate) fn record(&self, notice: &ChangeNotice) {
        let revision = self.latest.fetch_add(1, Ordering::SeqCst) + 1;
        match notice {
            ChangeNotice::Tenant(id) => self.change(*id, revision, |shard| {
                raise(&mut shard.of(*id).row, revision);
            }),
            ChangeNotice::Revoked(id, revocation) => self.change(*id, revision, |shard| {
                shard.revoke(*id, revocation, revision);
            }),
            ChangeNotice::AllRevoked(id) => self.change(*id, revision, |shard| {
                shard.revoke_all(*id, revision);
            }),
            ChangeNotice::Everything => {
                self.everything.fetch_max(revision, Ordering::SeqCst);
            }
        }
    }

    /// Changes what is kept of a tenant.
    fn change(&self, id: TenantId, revision: u64, change: impl FnOnce(&mut Shard)) {
        let shard = self.shard(id).write();
        let mut shard = shard.unwrap_or_else(PoisonError::into_inner);
        if shard.tenants.len() >= MAX_TENANTS && !shard.tenants.contains_key(&id) {
            shard.forget_older_than(self.max_age * 2);
            if shard.tenants.len() >= MAX_TENANTS {
                // First this, so that nobody misses what the shard forgets.
                self.everything.fetch_max(revision, Ordering::SeqCst);
                *shard = Shard::default();
                return;
            }
        }
        change(&mut shard);
    }

    fn shard(&self, id: TenantId) -> &RwLock<Shard> {
        &self.shards[usize::from(id.as_uuid().as_bytes()[15]) % SHARDS]
    }
}

/// Of two notices at once the later may be recorded first.
fn raise(kept: &mut u64, revision: u64) {
    *kept = revision.max(*kept);
}

impl Shard {
    fn of(&mut self, id: TenantId) -> &mut Changes {
        let changes = self.tenants.entry(id).or_insert_with(|| Changes {
            row: 0,
            all_revoked: 0,
            clients: 0,
            revoked: HashMap::new(),
            at: Instant::now(),
        });
        changes.at = Instant::now();
        changes
    }

    fn revoke(&mut self, id: TenantId, revocation: &Revocation, revision: u64) {
        let changes = self.of(id);
        if matches!(revocation, Revocation::Client(_)) {
            raise(&mut changes.clients, revision);
        }
        if let Some(known) = changes.revoked.get_mut(revocation) {
            raise(known, revision);
        } else if changes.revoked.len() >= MAX_REVOCATIONS_OF_TENANT {
            self.revoke_all(id, revision);
        } else {
            changes.revoked.insert(revocation.clone(), revision);
            self.revocations += 1;
            if self.revocations > MAX_REVOCATIONS {
                self.revoke_all_of_all(revision);
            }
        }
    }

    fn revoke_all(&mut self, id: TenantId, revision: u64) {
        let changes = self.of(id);
        raise(&mut changes.all_revoked, revision);
        let single = std::mem::take(&mut changes.revoked).len();
        self.revocations -= single;
    }

    fn revoke_all_of_all(&mut self, revision: u64) {
        for changes in self.tenants.values_mut() {
            raise(&mut changes.all_revoked, revision);
            changes.revoked = HashMap::new();
        }
        self.revocations = 0;
    }

    fn forget_older_than(&mut self, age: Duration) {
        let revocations = &mut self.revocations;
        self.tenants.retain(|_, changes| {
            let stays = changes.at.elapsed() < age;
            if !stays {
                *revocations -= changes.revoked.len();
            }
            stays
        });
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const MAX_AGE: Duration = Duration::from_secs(60);

    fn tenant(number: u128) -> TenantId {
        TenantId::new(Uuid::from_u128(number))
    }

    fn user(number: u128) -> Revocation {
        Revocation::User(Uuid::from_u128(number))
    }

    fn revoked(id: TenantId, number: u128) -> ChangeNotice {
        ChangeNotice::Revoked(id, user(number))
    }

    fn current(revisions: &Revisions, loaded: u64, id: TenantId, number: u128) -> bool {
        let depends = || Dependencies::Unrevoked(vec![user(number)]);
        revisions.is_current(loaded, id, depends)
    }

    fn kept(revisions: &Revisions) -> usize {
        let shards = revisions.shards.iter().map(|shard| shard.read().unwrap());
        shards
            .map(|shard| {
                let single: usize = shard.tenants.values().map(|one| one.revoked.len()).sum();
                assert_eq!(single, shard.revocations);
                shard.tenants.len() + single
            })
            .sum()
    }

    #[test]
    fn a_notice_ends_what_depends_on_it_and_was_loaded_before() {
        let revisions = Revisions::new(MAX_AGE);
        let (mine, other) = (tenant(1), tenant(1 + 256));
        let before = revisions.latest();
        revisions.record(&revoked(mine, 7));
        assert!(!current(&revisions, before, mine, 7));
        assert!(current(&revisions, before, mine, 8));
        assert!(current(&revisions, before, other, 7));
        assert!(revisions.is_current(before, mine, || Dependencies::Tenant));
        let after = revisions.latest();
        assert!(current(&revisions, after, mine, 7));
        revisions.record(&ChangeNotice::Tenant(mine));
        assert!(!revisions.is_current(after, mine, || Dependencies::Tenant));
        assert!(current(&revisions, after, mine, 7));
        revisions.record(&ChangeNotice::AllRevoked(mine));
        assert!(!current(&revisions, after, mine, 8));
        assert!(current(&revisions, after, other, 8));
        revisions.record(&ChangeNotice::Everything);
        assert!(!current(&revisions, after, other, 8));
    }

    #[test]
    fn what_depends_on_all_clients_ends_with_any_of_them() {
        let revisions = Revisions::new(MAX_AGE);
        let (mine, other) = (tenant(1), tenant(1 + 256));
        let client = |id, name: &str| ChangeNotice::Revoked(id, Revocation::Client(name.into()));
        let current = |loaded, id| revisions.is_current(loaded, id, || Dependencies::Clients);
        let before = revisions.latest();
        revisions.record(&client(other, "a"));
        revisions.record(&revoked(mine, 7));
        assert!(current(before, mine) && !current(before, other));
        revisions.record(&client(mine, "a"));
        let after = revisions.latest();
        assert!(!current(before, mine) && current(after, mine));
        revisions.record(&ChangeNotice::AllRevoked(mine));
        assert!(!current(after, mine));
    }

    #[test]
    fn any_number_of_notices_of_a_tenant_leaves_its_neighbours_alone() {
        let revisions = Revisions::new(MAX_AGE);
        let (mine, neighbour) = (tenant(1), tenant(1 + 256));
        revisions.record(&revoked(neighbour, 1));
        let loaded = revisions.latest();
        for number in 0..300_000 {
            revisions.record(&revoked(mine, number));
        }
        assert!(current(&revisions, loaded, neighbour, 1));
        assert!(!current(&revisions, loaded, mine, 0));
        assert!(kept(&revisions) <= 2 + MAX_REVOCATIONS_OF_TENANT + 1);
    }

    #[test]
    fn notices_that_repeat_are_kept_once() {
        let revisions = Revisions::new(MAX_AGE);
        for _ in 0..1000 {
            revisions.record(&revoked(tenant(1), 1));
        }
        let loaded = revisions.latest();
        assert_eq!(kept(&revisions), 2);
        assert!(current(&revisions, loaded, tenant(1), 2));
    }

    #[test]
    fn too_many_revocations_drop_those_of_the_tenants_beside_and_not_their_rows() {
        let revisions = Revisions::new(MAX_AGE);
        let loaded = revisions.latest();
        for number in 0..u128::try_from(MAX_REVOCATIONS).unwrap() + 1 {
            revisions.record(&revoked(tenant((number / 200) * 256), number));
        }
        assert!(!current(&revisions, loaded, tenant(0), 100_000));
        assert!(revisions.is_current(loaded, tenant(0), || Dependencies::Tenant));
        assert!(current(&revisions, loaded, tenant(1), 1));
        assert!(kept(&revisions) < MAX_REVOCATIONS);
    }

    #[test]
    fn too_many_tenants_drop_everything_unless_their_changes_are_old() {
        for (max_age, everything) in [(MAX_AGE, true), (Duration::ZERO, false)] {
            let revisions = Revisions::new(max_age);
            let loaded = revisions.latest();
            for number in 0..=u128::try_from(MAX_TENANTS).unwrap() {
                revisions.record(&ChangeNotice::Tenant(tenant(number * 256)));
            }
            assert_eq!(current(&revisions, loaded, tenant(1), 1), !everything);
            assert!(kept(&revisions) <= MAX_TENANTS);
        }
    }
}
