//! Lanes: small pools of connections, each with a login of its own, and each tenant in one.
//!
//! A connection that stays with its tenants keeps their catalog entries and prepared plans warm,
//! which is worth a factor of two to three in PostgreSQL, and it costs memory for its own lane's
//! tenants alone. A lane's login is a member of its own tenants' roles only: PostgreSQL reads the
//! list of all roles that a login is a member of at a connection's first `SET ROLE`, and again after
//! every change of any role. See docs/adr/0013-a-login-per-lane.md.

use std::sync::Arc;

use deadpool::managed::BuildError;
use tokio::sync::Semaphore;

use super::{
    TenantDb, error::Error, lane::Lane, login::Login, pooled::PooledTransaction,
    settings::Database, sql::Access,
};
use crate::{feed::ChangeFeed, tenant::Tenant};

/// How many lanes there are, each with a login of its own: as many as `platform.lanes()` says.
pub const LANES: usize = 4;

/// All connections to tenants' schemas; cheap to clone.
#[derive(Clone)]
pub struct Lanes {
    lanes: Arc<[Lane]>,
    feed: ChangeFeed,
}

impl Lanes {
    /// Lanes as the settings have them, whose logins have the password of `login`; what transactions
    /// publish goes to `feed` as well. Connections open when they are needed.
    ///
    /// # Errors
    /// When a pool cannot be built.
    pub fn new(login: &Login, settings: &Database, feed: &ChangeFeed) -> Result<Self, BuildError> {
        let most = LANES * settings.connections_per_lane.get();
        metrics::gauge!("tenant_connections_limit").set(most as f64);
        // One at a time, so that connections are not all replaced at once.
        let replacing = Arc::new(Semaphore::new(1));
        let lanes: Result<Vec<_>, _> = (0..LANES)
            .map(|number| Lane::new(&login.of_lane(number), settings, &replacing))
            .collect();
        Ok(Self {
            lanes: lanes?.into(),
            feed: feed.clone(),
        })
    }

    /// The door to a tenant's schema.
    #[must_use]
    pub fn open(&self, tenant: Arc<Tenant>) -> TenantDb {
        TenantDb::new(self.clone(), tenant)
    }

    /// Where transactions publish what they changed.
    pub(crate) fn feed(&self) -> &ChangeFeed {
        &self.feed
    }

    /// A connection for a tenant, as soon as it is its turn.
    pub(crate) async fn connection(
        &self,
        tenant: &Tenant,
        access: Access,
    ) -> Result<PooledTransaction, Error> {
        let lane = &self.lanes[tenant.lane.index()];
        lane.connection(tenant.id, access).await
    }
}

/// One of the lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneNumber(usize);

impl LaneNumber {
    /// A lane by its number in the registry; `None` when there is no such lane.
    #[must_use]
    pub fn new(number: i16) -> Option<Self> {
        let number = usize::try_from(number).ok()?;
        (number < LANES).then_some(Self(number))
    }

    fn index(self) -> usize {
        self.0
    }
}

/// The login of a lane, by its number.
#[must_use]
pub fn login_of_lane(number: usize) -> String {
    format!("tenantry_data_{number}")
}
