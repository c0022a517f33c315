//! What somebody who signs in notices of a crowd that signs in: at another tenant, or from one
//! address at their own.
//!
//! Straight at the product: what holds the crowd back is its queue for hashing passwords, not the
//! gateway. Every password is right, so that each sign-in costs a hash; whoever is refused comes back
//! a little later, as the answer asks for.

use std::{
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::ensure;
use serde::Serialize;
use serde_json::json;
use tokio::task::JoinSet;

use super::{modest, wire::Connection};
use crate::{
    load::{Figures, Window, quiet},
    options::Options,
    product::{PASSWORD, Tenant, USERNAME},
};

/// What can be asked for by name.
pub(crate) const NAMES: [&str; 2] = [
    "sign-in, 800 at another tenant",
    "sign-in, 200 from one address",
];

/// Hashes that a sign-in beside a crowd may take longer.
const HASHES: f64 = 3.0;
/// Users of a crowd.
const USERS: usize = 40;
/// Between two sign-ins of the victim.
const PAUSE: Duration = Duration::from_millis(50);
/// What 503 asks for.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// For a crowd to be under way before a window.
const LEAD: Duration = Duration::from_secs(3);

/// A row of this section.
#[derive(Debug, Serialize)]
pub(crate) struct Crowded {
    pub(crate) name: &'static str,
    /// Sign-ins in peace.
    pub(crate) idle: Figures,
    /// The same beside the crowd.
    pub(crate) under: Figures,
    /// A hash of this run.
    pub(crate) hash_ms: f64,
    /// Sign-ins of the crowd, and how many of them were refused.
    pub(crate) crowd: [u64; 2],
}

impl Crowded {
    /// Whether any of the victim's sign-ins failed.
    pub(crate) fn failed(&self) -> u64 {
        self.idle.failed + self.under.failed
    }

    /// How long the slowest hundredth may take, in milliseconds.
    pub(crate) fn at_most_ms(&self) -> f64 {
        (self.idle.p99_us / 1e3 + HASHES * self.hash_ms).round()
    }
}

/// Those who sign in again and again.
struct Crowd {
    slug: String,
    connections: usize,
    /// Where each of them is.
    from: fn(usize) -> [u8; 4],
}

/// Measures the rows that were asked for, in peace and beside the crowd in turns.
pub(crate) async fn measure(
    port: u16,
    tenants: &[Tenant],
    hash_ms: f64,
    options: &Options,
) -> anyhow::Result<Vec<Crowded>> {
    let wanted = |name: &&str| {
        options.only.is_empty() || options.only.iter().any(|part| name.contains(part.as_str()))
    };
    let mut rows = Vec::new();
    for name in NAMES.into_iter().filter(wanted) {
        ensure!(tenants.len() > 1, "sign-ins need 2 tenants (--tenants)");
        let elsewhere = name == NAMES[0];
        let crowd = Crowd {
            slug: tenants[usize::from(elsewhere)].slug.clone(),
            connections: if elsewhere { 800 } else { 200 },
            from: if elsewhere { apart } else { together },
        };
        rows.push(row(name, port, &tenants[0].slug, &crowd, hash_ms, options).await?);
    }
    Ok(rows)
}

fn apart(number: usize) -> [u8; 4] {
    let [high, low] = (number as u16).to_be_bytes();
    [127, 20, high, low]
}

fn together(_: usize) -> [u8; 4] {
    [127, 21, 0, 1]
}

async fn row(
    name: &'static str,
    port: u16,
    victim: &str,
    crowd: &Crowd,
    hash_ms: f64,
    options: &Options,
) -> anyhow::Result<Crowded> {
    crowd.register(port).await?;
    let (mut idle, mut under, mut managed) = (Vec::new(), Vec::new(), [0; 2]);
    let length = Duration::from_secs(if options.quick { 5 } else { 30 });
    for round in 1..=options.rounds() {
        eprintln!("bench: {name}, round {round} of {}", options.rounds());
        let calm = options.quick || quiet::settle().await?;
        let mut window = sign_ins(port, victim, length).await?;
        window.noisy = !calm;
        idle.push(window);
        let counts = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        // Dropped with this round, and with it all that is under way.
        let _crowd = crowd.gather(port, &counts);
        tokio::time::sleep(LEAD).await;
        under.push(sign_ins(port, victim, length).await?);
        for (sum, count) in managed.iter_mut().zip(counts.iter()) {
            *sum += count.load(Ordering::Relaxed);
        }
    }
    ensure!(managed[0] > 0, "the crowd did not sign in");
    let figures =
        |windows: &[Window]| Figures::of(windows).ok_or_else(|| anyhow::anyhow!("no window"));
    Ok(Crowded {
        name,
        idle: figures(&idle)?,
        under: figures(&under)?,
        hash_ms,
        crowd: managed,
    })
}

/// The victim signs in, again and again, each time from another address without a cookie.
async fn sign_ins(port: u16, slug: &str, length: Duration) -> anyhow::Result<Window> {
    let request = post("/oauth/login", slug, &credentials(USERNAME));
    let (started, mut times) = (Instant::now(), Vec::new());
    while started.elapsed() < length {
        let from = apart(40_000 + times.len() % 20_000);
        let began = Instant::now();
        let mut connection = Connection::open(from, port).await?;
        let good = connection
            .ask(&request)
            .await
            .is_ok_and(|status| status == 200);
        times.push(good.then(|| began.elapsed()));
        tokio::time::sleep(PAUSE).await;
    }
    Ok(modest::window(&times, started.elapsed()))
}

impl Crowd {
    /// Makes its users, if they are not there yet.
    async fn register(&self, port: u16) -> anyhow::Result<()> {
        for number in 0..USERS {
            let name = user(number);
            let email = format!("{name}@{}.example", self.slug);
            let body = json!({"username": name, "email": email, "password": PASSWORD});
            let request = post("/oauth/register", &self.slug, &body.to_string());
            let mut connection = Connection::open(apart(30_000 + number), port).await?;
            let status = connection.ask(&request).await?;
            ensure!(matches!(status, 201 | 409), "a user was not made: {status}");
        }
        Ok(())
    }

    fn gather(&self, port: u16, counts: &Arc<[AtomicU64; 2]>) -> JoinSet<()> {
        let mut all = JoinSet::new();
        for number in 0..self.connections {
            let request = post(
                "/oauth/login",
                &self.slug,
                &credentials(&user(number % USERS)),
            );
            let (from, counts) = ((self.from)(number), Arc::clone(counts));
            all.spawn(async move {
                loop {
                    let Ok(mut connection) = Connection::open(from, port).await else {
                        tokio::time::sleep(RETRY_AFTER).await;
                        continue;
                    };
                    while let Ok(status) = connection.ask(&request).await {
                        let refused = status != 200;
                        counts[usize::from(refused)].fetch_add(1, Ordering::Relaxed);
                        if refused {
                            tokio::time::sleep(RETRY_AFTER).await;
                        }
                    }
                }
            });
        }
        all
    }
}

fn user(number: usize) -> String {
    format!("crowd{number}")
}

fn credentials(name: &str) -> String {
    json!({"username": name, "password": PASSWORD}).to_string()
}

/// A request with JSON, as it goes over the wire.
fn post(path: &str, slug: &str, body: &str) -> Vec<u8> {
    let mut text = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nX-Tenant-Slug: {slug}\r\n");
    let _ = write!(
        text,
        "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    text.into_bytes()
}
