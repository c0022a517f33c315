//! The change feed: PostgreSQL's notifications, recorded for the caches of this process.
//!
//! One connection listens on the channel that the registry names, which is random: anybody who is
//! connected may send a NOTIFY. A notice counts within the time of a NOTIFY, or at once when a
//! transaction of this process published it. While the connection is well, proven by a query several
//! times a second, cached entries are current; when it is not, [`ChangeFeed::is_fresh`] says so and
//! entries are used for a second at most. After a connection was lost every entry is dropped, since
//! the notices missed are not known.
//!
//! Notices are recorded as they are read from the connection, so that none wait in memory.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::poll_fn;
use tokio_postgres::{AsyncMessage, Client};

use crate::{
    cache::MAX_AGE,
    db::{self, Driver, Login},
    names::TenantId,
    notice::ChangeNotice,
    revisions::{Dependencies, Revisions},
};

const HEARTBEAT: Duration = Duration::from_millis(300);
/// How long after a heartbeat cached entries are still current.
const TRUST: Duration = Duration::from_millis(900);
/// How long a heartbeat may take. Longer than entries are trusted: it may wait behind many notices.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(5);

/// The channels on which services of the version before this one publish.
const FORMER_CHANNELS: &str = "LISTEN tenantry_tenants; LISTEN tenantry_revoked";

/// The feed, shared by all caches of a process; cheap to clone.
#[derive(Clone)]
pub struct ChangeFeed(Arc<Inner>);

struct Inner {
    started: Instant,
    /// Milliseconds after `started` until which cached entries are current.
    trusted_until: AtomicU64,
    revisions: Revisions,
}

impl ChangeFeed {
    /// Starts to listen, and goes on until the last clone is dropped.
    #[must_use]
    pub fn start(login: &Login) -> Self {
        let feed = Self(Arc::new(Inner {
            started: Instant::now(),
            trusted_until: AtomicU64::new(0),
            revisions: Revisions::new(MAX_AGE),
        }));
        // The name by which the registry's functions know this version: see V4__functions.sql.
        let login = login.named("tenantry changes");
        tokio::spawn(listen(Arc::downgrade(&feed.0), login));
        feed
    }

    /// Records a notice in this process at once, ahead of PostgreSQL's notification.
    pub(crate) fn publish(&self, notice: &ChangeNotice) {
        self.0.revisions.record(notice);
    }

    /// Whether every notice committed until a second ago has arrived.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.0.now() < self.0.trusted_until.load(Ordering::Acquire)
    }

    /// The revision of a load that begins now.
    pub(crate) fn revision(&self) -> u64 {
        self.0.revisions.latest()
    }

    /// Whether no notice has come since a revision of what a tenant's entry depends on.
    pub(crate) fn is_current(
        &self,
        revision: u64,
        tenant: TenantId,
        dependencies: impl FnOnce() -> Dependencies,
    ) -> bool {
        self.0.revisions.is_current(revision, tenant, dependencies)
    }
}

impl Inner {
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

async fn listen(feed: Weak<Inner>, login: Login) {
    let mut logged = String::new();
    loop {
        let failed = session(&feed, &login).await;
        let Some(inner) = feed.upgrade() else { return };
        inner.trusted_until.store(0, Ordering::Release);
        inner.revisions.record(&ChangeNotice::Everything);
        drop(inner);
        // Logged once, and not three times a second for as long as it lasts.
        let cause = failed.map_err(db::Error::from).err();
        let cause = cause.map(|cause| cause.to_string()).unwrap_or_default();
        if cause != logged && !cause.is_empty() {
            tracing::warn!(
                cause,
                "not listening for changes; cached entries are used for a second"
            );
        }
        logged = cause;
        tokio::time::sleep(HEARTBEAT).await;
    }
}

/// One connection's worth of listening; returns when it breaks, the channel is another, or nobody
/// needs the feed any more.
async fn session(feed: &Weak<Inner>, login: &Login) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = login.connect().await?;
    let mut driver = tokio::spawn(record(feed.clone(), connection));
    let outcome = tokio::select! {
        outcome = heartbeat(feed, &client) => outcome,
        _ = &mut driver => Ok(()),
    };
    driver.abort();
    outcome
}

async fn record(feed: Weak<Inner>, mut connection: Driver) {
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notification(notification) = message {
            let Some(inner) = feed.upgrade() else { return };
            let notice = ChangeNotice::read(notification.payload());
            inner.revisions.record(&notice);
        }
    }
}

/// The channel as the registry names it, and whether services of the version before this one run.
#[derive(PartialEq)]
struct Channel {
    name: String,
    former: bool,
}

async fn channel(client: &Client) -> Result<Channel, tokio_postgres::Error> {
    let row = client
        .query_one("SELECT name, former FROM platform.channel", &[])
        .await?;
    Ok(Channel {
        name: row.try_get(0)?,
        former: row.try_get(1)?,
    })
}

async fn heartbeat(feed: &Weak<Inner>, client: &Client) -> Result<(), tokio_postgres::Error> {
    let listening = channel(client).await?;
    let name = listening.name.replace('"', "\"\"");
    client.batch_execute(&format!("LISTEN \"{name}\"")).await?;
    if listening.former {
        client.batch_execute(FORMER_CHANNELS).await?;
    }
    if let Some(inner) = feed.upgrade() {
        inner.revisions.record(&ChangeNotice::Everything);
    }
    loop {
        let Some(asked) = feed.upgrade().map(|inner| inner.now()) else {
            return Ok(());
        };
        let Ok(answer) = tokio::time::timeout(HEARTBEAT_TIMEOUT, channel(client)).await else {
            return Ok(());
        };
        if answer? != listening {
            return Ok(());
        }
        let Some(inner) = feed.upgrade() else {
            return Ok(());
        };
        let trusted = asked + u64::try_from(TRUST.as_millis()).unwrap_or(0);
        inner.trusted_until.store(trusted, Ordering::Release);
        drop(inner);
        tokio::time::sleep(HEARTBEAT).await;
    }
}
