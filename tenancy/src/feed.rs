//! The change feed: PostgreSQL's notifications, recorded for the caches of this process.
//!
//! One connection listens on the channel that the registry names, which is random: anybody who is
//! connected may send a NOTIFY. A notice counts within the time of a NOTIFY, or at once when a
//! transaction of this process published it. Several times a second another connection sends a
//! notice, the heartbeat, that has to come back on the first one: whatever was committed before it
//! has arrived then, and cached entries are current. A connection can be well and hear nothing (a
//! pooler in transaction mode, a proxy). When no heartbeat comes back, [`ChangeFeed::is_fresh`] says
//! so and entries are used for a second at most; every entry is dropped when one does again, since
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
use tokio::sync::watch;
use tokio_postgres::{AsyncMessage, Client, SimpleQueryMessage, SimpleQueryRow};

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

/// Notifications do not arrive on a connection that is well otherwise.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(
    "PostgreSQL's notifications do not arrive: the database is reached through a pooler in \
     transaction mode, or through a proxy that drops them; name PostgreSQL itself, or a pooler in \
     session mode"
)]
pub struct NoNotifications;

/// Why a session of listening ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("{0}")]
    Database(#[from] db::Error),
    #[error(transparent)]
    Deaf(#[from] NoNotifications),
}

impl From<tokio_postgres::Error> for Ended {
    fn from(cause: tokio_postgres::Error) -> Self {
        Self::Database(cause.into())
    }
}

/// What the names of heartbeats' channels begin with.
const HEARTBEATS: &str = "tenantry_heartbeat_";

/// The channels on which services of the version before this one publish.
const FORMER_CHANNELS: &str = "LISTEN tenantry_tenants; LISTEN tenantry_revoked";

/// The feed, shared by all caches of a process; cheap to clone.
#[derive(Clone)]
pub struct ChangeFeed(Arc<Inner>);

struct Inner {
    started: Instant,
    /// Milliseconds after `started` until which cached entries are current.
    trusted_until: AtomicU64,
    /// The latest heartbeat that came back: when it was sent, in milliseconds after `started`.
    heard: watch::Sender<Option<u64>>,
    /// Whether the first heartbeat came back; unknown until then.
    verdict: watch::Sender<Option<Result<(), NoNotifications>>>,
    revisions: Revisions,
}

impl ChangeFeed {
    /// Starts to listen, and goes on until the last clone is dropped.
    #[must_use]
    pub fn start(login: &Login) -> Self {
        let feed = Self(Arc::new(Inner {
            started: Instant::now(),
            trusted_until: AtomicU64::new(0),
            heard: watch::Sender::new(None),
            verdict: watch::Sender::new(None),
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

    /// Waits until it is known whether notifications arrive here, or for so long: a database that
    /// cannot be reached says nothing.
    ///
    /// # Errors
    /// [`NoNotifications`].
    pub async fn check(&self, patience: Duration) -> Result<(), NoNotifications> {
        let mut verdict = self.0.verdict.subscribe();
        let known = tokio::time::timeout(patience, verdict.wait_for(Option::is_some)).await;
        match known {
            Ok(Ok(verdict)) => verdict.unwrap_or(Ok(())),
            _ => Ok(()),
        }
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
        let cause = failed.err().map(|cause| cause.to_string());
        let cause = cause.unwrap_or_default();
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

/// Listens on one connection, and sends heartbeats on another; returns when one of them breaks, the
/// channel is another, or nobody needs the feed any more.
async fn session(feed: &Weak<Inner>, login: &Login) -> Result<(), Ended> {
    let (listener, connection) = login.connect().await?;
    let (sender, driver) = login.connect().await?;
    let (mut listening, mut sending) = (
        tokio::spawn(record(feed.clone(), connection)),
        tokio::spawn(driver),
    );
    let outcome = tokio::select! {
        outcome = heartbeats(feed, &listener, &sender) => outcome,
        _ = &mut listening => Ok(()),
        _ = &mut sending => Ok(()),
    };
    listening.abort();
    sending.abort();
    outcome
}

async fn record(feed: Weak<Inner>, mut connection: Driver) {
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notification(notification) = message {
            let Some(inner) = feed.upgrade() else { return };
            if notification.channel().starts_with(HEARTBEATS) {
                let sent = notification.payload().parse().ok();
                inner.heard.send_replace(sent);
            } else {
                let notice = ChangeNotice::read(notification.payload());
                inner.revisions.record(&notice);
            }
        }
    }
}

/// The channel as the registry names it, and whether services of the version before this one run.
#[derive(PartialEq)]
struct Channel {
    name: String,
    former: bool,
}

async fn channel(client: &Client) -> Result<Channel, Ended> {
    let row = row(client, "SELECT name, former FROM platform.channel").await?;
    Ok(Channel {
        name: first(&row)?.to_owned(),
        former: row.get(1) == Some("t"),
    })
}

/// One row, by the simple protocol: a pooler in transaction mode has to come as far as a heartbeat that
/// is not heard, and would lose a prepared statement before.
async fn row(client: &Client, sql: &str) -> Result<SimpleQueryRow, Ended> {
    let messages = client.simple_query(sql).await?;
    let row = messages.into_iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    Ok(row.ok_or_else(|| db::Error::unreadable("a row was expected"))?)
}

/// The first column of a row, which is not null.
fn first(row: &SimpleQueryRow) -> Result<&str, db::Error> {
    row.get(0)
        .ok_or_else(|| db::Error::unreadable("a value was expected"))
}

/// A channel for this session's heartbeats, which nobody else knows.
async fn heartbeat_channel(listener: &Client) -> Result<String, Ended> {
    let random = "SELECT replace(pg_catalog.gen_random_uuid()::text, '-', '')";
    let random = row(listener, random).await?;
    Ok(format!("{HEARTBEATS}{}", first(&random)?))
}

async fn heartbeats(feed: &Weak<Inner>, listener: &Client, sender: &Client) -> Result<(), Ended> {
    let listening = channel(sender).await?;
    let heartbeats = heartbeat_channel(listener).await?;
    let name = listening.name.replace('"', "\"\"");
    let listen = format!("LISTEN \"{name}\"; LISTEN {heartbeats}");
    listener.batch_execute(&listen).await?;
    if listening.former {
        listener.batch_execute(FORMER_CHANNELS).await?;
    }
    if let Some(inner) = feed.upgrade() {
        inner.revisions.record(&ChangeNotice::Everything);
    }
    loop {
        let Some(inner) = feed.upgrade() else {
            return Ok(());
        };
        let sent = inner.now();
        let Some(heard) = heartbeat(&inner, sender, &heartbeats, sent).await? else {
            return Ok(());
        };
        inner
            .verdict
            .send_if_modified(|verdict| verdict.replace(heard).is_none());
        heard?;
        let trusted = sent + u64::try_from(TRUST.as_millis()).unwrap_or(0);
        inner.trusted_until.store(trusted, Ordering::Release);
        drop(inner);
        tokio::time::sleep(HEARTBEAT).await;
        if channel(sender).await? != listening {
            return Ok(());
        }
    }
}

/// Sends a heartbeat, and says whether it comes back; `None` when it could not be sent in time.
async fn heartbeat(
    inner: &Inner,
    sender: &Client,
    channel: &str,
    sent: u64,
) -> Result<Option<Result<(), NoNotifications>>, tokio_postgres::Error> {
    let mut heard = inner.heard.subscribe();
    let notify = format!("NOTIFY {channel}, '{sent}'");
    let notified = tokio::time::timeout(HEARTBEAT_TIMEOUT, sender.batch_execute(&notify)).await;
    let Ok(notified) = notified else {
        return Ok(None);
    };
    notified?;
    let heard = heard.wait_for(|heard| *heard == Some(sent));
    let heard = tokio::time::timeout(HEARTBEAT_TIMEOUT, heard).await;
    Ok(Some(heard.map(drop).map_err(|_| NoNotifications)))
}
