//! The change feed: PostgreSQL's notifications, passed on to the caches of this process.
//!
//! One connection listens. A cache subscribes and gets each [`ChangeNotice`] within the time of a
//! NOTIFY, or at once when a transaction of this process published it. While the connection is
//! well, proven by a query several times a second, cached entries are current; when it is not,
//! [`ChangeFeed::is_fresh`] says so and entries are used for a second at most. After a connection
//! was lost every cache is emptied, since the notices missed are not known.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::poll_fn;
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Client};

use crate::{
    db::{self, Login},
    names::TenantId,
    notice::{ChangeNotice, REVOKED, TENANTS},
};

const HEARTBEAT: Duration = Duration::from_millis(300);
/// How long after a heartbeat cached entries are still current.
const TRUST: Duration = Duration::from_millis(900);
const SHARDS: usize = 256;

type Subscriber = Box<dyn Fn(&ChangeNotice) + Send + Sync>;

/// The feed, shared by all caches of a process; cheap to clone.
#[derive(Clone)]
pub struct ChangeFeed(Arc<Inner>);

struct Inner {
    started: Instant,
    /// Milliseconds after `started` until which cached entries are current.
    trusted_until: AtomicU64,
    /// How many notices came, by tenant: lets a load see that it was overtaken.
    epochs: [AtomicU64; SHARDS],
    subscribers: RwLock<Vec<Subscriber>>,
}

impl ChangeFeed {
    /// Starts to listen, and goes on until the last clone is dropped.
    #[must_use]
    pub fn start(login: &Login) -> Self {
        let feed = Self(Arc::new(Inner {
            started: Instant::now(),
            trusted_until: AtomicU64::new(0),
            epochs: [const { AtomicU64::new(0) }; SHARDS],
            subscribers: RwLock::default(),
        }));
        tokio::spawn(listen(
            Arc::downgrade(&feed.0),
            login.named("tenantry feed"),
        ));
        feed
    }

    /// Calls `subscriber` with every notice from now on, on the listening task: it must be quick.
    pub fn subscribe(&self, subscriber: impl Fn(&ChangeNotice) + Send + Sync + 'static) {
        let mut all = self
            .0
            .subscribers
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        all.push(Box::new(subscriber));
    }

    /// Passes a notice to this process's subscribers at once, ahead of PostgreSQL's notification.
    pub(crate) fn publish(&self, notice: &ChangeNotice) {
        match notice {
            ChangeNotice::Tenant(id) | ChangeNotice::Revoked(id, _) => {
                self.0.epochs[shard(*id)].fetch_add(1, Ordering::SeqCst);
            }
            ChangeNotice::Everything => {
                for epoch in &self.0.epochs {
                    epoch.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
        for subscriber in self
            .0
            .subscribers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            subscriber(notice);
        }
    }

    /// Whether every notice committed until a second ago has arrived.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.0.now() < self.0.trusted_until.load(Ordering::Acquire)
    }

    /// Changes with every notice that concerns a tenant.
    pub(crate) fn epoch(&self, id: TenantId) -> u64 {
        self.0.epochs[shard(id)].load(Ordering::SeqCst)
    }
}

impl Inner {
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

fn shard(id: TenantId) -> usize {
    usize::from(id.as_uuid().as_bytes()[15])
}

async fn listen(feed: std::sync::Weak<Inner>, login: Login) {
    let mut logged = String::new();
    loop {
        let failed = session(&feed, &login).await;
        let Some(inner) = feed.upgrade() else { return };
        inner.trusted_until.store(0, Ordering::Release);
        ChangeFeed(inner).publish(&ChangeNotice::Everything);
        // Logged once, and not three times a second for as long as it lasts.
        let cause = failed.map_err(db::Error::from).err();
        let cause = cause.map(|cause| cause.to_string()).unwrap_or_default();
        if cause != logged && !cause.is_empty() {
            tracing::warn!(
                cause,
                "not listening for changes; memory is trusted for a second"
            );
        }
        logged = cause;
        tokio::time::sleep(HEARTBEAT).await;
    }
}

/// One connection's worth of listening; returns when it breaks or nobody listens any more.
async fn session(
    feed: &std::sync::Weak<Inner>,
    login: &Login,
) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = login.connect().await?;
    let (sender, mut notices) = mpsc::unbounded_channel();
    let driver = tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(note) = message {
                let _ = sender.send(ChangeNotice::read(note.channel(), note.payload()));
            }
        }
    });
    client
        .batch_execute(&format!("LISTEN {TENANTS}; LISTEN {REVOKED}"))
        .await?;
    if let Some(inner) = feed.upgrade() {
        ChangeFeed(inner).publish(&ChangeNotice::Everything);
    }
    let outcome = tokio::select! {
        outcome = heartbeat(feed, &client) => outcome,
        () = pass_on(feed, &mut notices) => Ok(()),
    };
    driver.abort();
    outcome
}

async fn pass_on(
    feed: &std::sync::Weak<Inner>,
    notices: &mut mpsc::UnboundedReceiver<ChangeNotice>,
) {
    while let Some(item) = notices.recv().await {
        let Some(inner) = feed.upgrade() else { return };
        ChangeFeed(inner).publish(&item);
    }
}

async fn heartbeat(
    feed: &std::sync::Weak<Inner>,
    client: &Client,
) -> Result<(), tokio_postgres::Error> {
    loop {
        let Some(asked) = feed.upgrade().map(|inner| inner.now()) else {
            return Ok(());
        };
        let patience = tokio::time::timeout(TRUST, client.batch_execute("")).await;
        let Ok(answered) = patience else {
            return Ok(());
        };
        answered?;
        let Some(inner) = feed.upgrade() else {
            return Ok(());
        };
        let trusted = asked + u64::try_from(TRUST.as_millis()).unwrap_or(0);
        inner.trusted_until.store(trusted, Ordering::Release);
        drop(inner);
        tokio::time::sleep(HEARTBEAT).await;
    }
}
