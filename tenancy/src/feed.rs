//! ChangeNotice from the database: what changed, as it changes.
//!
//! One connection listens. Whoever keeps something in memory subscribes, and is told within the
//! time of a NOTIFY, or at once when this process changed it itself ([`ChangeFeed::publish`]). While the
//! connection is well, proven by a question several times a second, memory can be trusted;
//! when it is not, [`ChangeFeed::is_fresh`] says so and memory lives for a second at most. After a
//! silence everybody is told to forget everything, since what was missed is not known.

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
use uuid::Uuid;

use crate::{
    db::{self, Login},
    names::TenantId,
};

/// The channel on which the registry's triggers tell which tenant changed.
pub const TENANTS: &str = "tenantry_tenants";
/// The channel on which revocations are told.
pub const REVOKED: &str = "tenantry_revoked";

const HEARTBEAT: Duration = Duration::from_millis(300);
/// How long after a heartbeat memory is still trusted.
const TRUST: Duration = Duration::from_millis(900);
const SHARDS: usize = 256;

/// Something changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeNotice {
    /// A tenant's row, or one of its domains.
    Tenant(TenantId),
    /// Something within a tenant is no longer valid; what, is the data plane's own language.
    Revoked(TenantId, String),
    /// ChangeNotice may have been missed, or concern everybody: forget everything.
    Everything,
}

impl ChangeNotice {
    fn read(channel: &str, payload: &str) -> Self {
        let (id, rest) = payload.split_once(' ').unwrap_or((payload, ""));
        match (channel, id.parse::<Uuid>()) {
            (TENANTS, Ok(id)) => Self::Tenant(TenantId::new(id)),
            (REVOKED, Ok(id)) => Self::Revoked(TenantId::new(id), rest.to_owned()),
            _ => Self::Everything,
        }
    }
}

type Subscriber = Box<dyn Fn(&ChangeNotice) + Send + Sync>;

/// The news, shared by all who keep something in memory; cheap to clone.
#[derive(Clone)]
pub struct ChangeFeed(Arc<Inner>);

struct Inner {
    started: Instant,
    /// Milliseconds after `started` until which memory is trusted.
    trusted_until: AtomicU64,
    /// How often news came, by tenant: lets a load notice that it was overtaken.
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

    /// Calls `subscriber` with all news from now on, on the listening task: it must be quick.
    pub fn subscribe(&self, subscriber: impl Fn(&ChangeNotice) + Send + Sync + 'static) {
        let mut all = self
            .0
            .subscribers
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        all.push(Box::new(subscriber));
    }

    /// Tells this process's subscribers at once, ahead of the database's own word.
    pub fn publish(&self, news: &ChangeNotice) {
        match news {
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
            subscriber(news);
        }
    }

    /// Whether all that was committed until a second ago has been told.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.0.now() < self.0.trusted_until.load(Ordering::Acquire)
    }

    /// Changes whenever there is news of a tenant.
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
    let mut told = String::new();
    loop {
        let failed = session(&feed, &login).await;
        let Some(inner) = feed.upgrade() else { return };
        inner.trusted_until.store(0, Ordering::Release);
        ChangeFeed(inner).publish(&ChangeNotice::Everything);
        // Told once, and not three times a second for as long as it lasts.
        let cause = failed.map_err(db::Error::from).err();
        let cause = cause.map(|cause| cause.to_string()).unwrap_or_default();
        if cause != told && !cause.is_empty() {
            tracing::warn!(
                cause,
                "not listening for changes; memory is trusted for a second"
            );
        }
        told = cause;
        tokio::time::sleep(HEARTBEAT).await;
    }
}

/// One connection's worth of listening; returns when it breaks or nobody listens any more.
async fn session(
    feed: &std::sync::Weak<Inner>,
    login: &Login,
) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = login.connect().await?;
    let (sender, mut news) = mpsc::unbounded_channel();
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
        () = pass_on(feed, &mut news) => Ok(()),
    };
    driver.abort();
    outcome
}

async fn pass_on(feed: &std::sync::Weak<Inner>, news: &mut mpsc::UnboundedReceiver<ChangeNotice>) {
    while let Some(item) = news.recv().await {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreadable_news_concerns_everything() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let tenant: TenantId = id.parse().unwrap();
        assert_eq!(
            ChangeNotice::read(TENANTS, id),
            ChangeNotice::Tenant(tenant)
        );
        let revoked = ChangeNotice::read(REVOKED, &format!("{id} token x"));
        assert_eq!(revoked, ChangeNotice::Revoked(tenant, "token x".to_owned()));
        for odd in ["", "*", "x y"] {
            assert_eq!(ChangeNotice::read(TENANTS, odd), ChangeNotice::Everything);
            assert_eq!(ChangeNotice::read(REVOKED, odd), ChangeNotice::Everything);
        }
    }
}
