//! Tenants that come and go beside the load: five sign-ups and one purge a second.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, ensure};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use reqwest::{Client, Method};
use tokio::{process::Command, time::MissedTickBehavior};

use crate::{
    database::{ADMIN, Database},
    load::Window,
    process,
    product::{Api, Product},
};

/// Sign-ups for each purge.
const SIGN_UPS_PER_PURGE: u64 = 5;
/// Between two sign-ups.
const EVERY: Duration = Duration::from_millis(200);

/// Numbers the tenants that are made beside the fleet.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A slug that no tenant of a fleet has.
pub(super) fn new_slug() -> String {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    // Those of an earlier run may be there still.
    format!("passing-{}-{number}", std::process::id())
}

/// Whoever makes tenants come and go.
pub(super) struct Churn {
    api: Api,
    client: Client,
    base: String,
    token: String,
    made: Mutex<Vec<String>>,
    signed_up: AtomicU64,
    purged: AtomicU64,
}

impl Churn {
    /// Of a product; `command` is its program at the same database.
    pub(super) async fn new(product: &Product, mut command: Command) -> anyhow::Result<Self> {
        let said = process::output(command.args(["token", "create", "bench"])).await?;
        let token = said.lines().last().context("no operator's token")?.trim();
        Ok(Self {
            api: Api::new(product.port),
            client: Client::new(),
            base: format!("http://127.0.0.1:{}/control/v1/tenants", product.port),
            token: token.to_owned(),
            made: Mutex::default(),
            signed_up: AtomicU64::new(0),
            purged: AtomicU64::new(0),
        })
    }

    /// Sign-ups and purges so far.
    pub(super) fn managed(&self) -> [u64; 2] {
        [&self.signed_up, &self.purged].map(|count| count.load(Ordering::Relaxed))
    }

    /// A window of load while tenants come and go.
    ///
    /// # Errors
    /// Those of the window, and of a sign-up or purge that failed.
    pub(super) async fn beside(
        &self,
        window: impl Future<Output = anyhow::Result<Window>>,
    ) -> anyhow::Result<Window> {
        tokio::select! {
            window = window => window,
            fault = self.go_on() => Err(fault),
        }
    }

    /// Makes tenants come and go until it is dropped; what failed.
    async fn go_on(&self) -> anyhow::Error {
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        // At this rate however long each of them takes.
        let mut under_way = FuturesUnordered::new();
        loop {
            tokio::select! {
                _ = tick.tick() => under_way.push(self.step()),
                Some(Err(fault)) = under_way.next() => return fault,
            }
        }
    }

    async fn step(&self) -> anyhow::Result<()> {
        let slug = new_slug();
        self.api.sign_up(&slug).await?;
        self.made().push(slug);
        let count = self.signed_up.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_multiple_of(SIGN_UPS_PER_PURGE) {
            let doomed = self.made().remove(0);
            self.ask(Method::DELETE, &doomed).await?;
            self.ask(Method::POST, &format!("{doomed}/purge")).await?;
            self.purged.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn made(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, method: Method, path: &str) -> anyhow::Result<()> {
        let url = format!("{}/{path}", self.base);
        let request = self.client.request(method, &url).bearer_auth(&self.token);
        let status = request.send().await?.status();
        ensure!(status.is_success(), "{path} answered {status}");
        Ok(())
    }

    /// Purges all that were made beside the fleet, by whichever run, so that it is kept as it was.
    pub(super) async fn clean(&self, database: &Database) -> anyhow::Result<()> {
        const LEFT: &str = "SELECT slug, status FROM platform.tenants \
            WHERE slug LIKE 'passing-%' AND status <> 'purged'";
        let rows = database.connect(ADMIN).await?.query(LEFT, &[]).await?;
        for row in rows {
            let (slug, status): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            if status != "deleting" {
                self.ask(Method::DELETE, &slug).await?;
            }
            self.ask(Method::POST, &format!("{slug}/purge")).await?;
        }
        Ok(())
    }
}
