//! What a tenant notices of others whose table is locked while forty of their requests wait for it.
//!
//! Straight at the product: what keeps the others' requests from all connections is the product, not
//! the gateway. Whoever is refused comes back a little later, as the answer asks for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::ensure;
use tokio::task::JoinSet;

use super::{
    Attacked,
    modest::{self, Modest},
    wire::Connection,
};
use crate::{
    database::{ADMIN, Database},
    load::{Window, quiet},
    options::Options,
    product::{Tenant, requests},
};

/// What can be asked for by name.
pub(crate) const NAMES: [&str; 2] = ["locked tables, 2 tenants", "locked tables, 10 tenants"];

const ATTACKERS: [usize; 2] = [2, 10];
/// Requests of one attacker that wait.
const WAITING: usize = 40;
/// Tenants that are measured, in turn: some in every lane.
const NEIGHBOURS: usize = 8;
/// How many times as long the slowest hundredth may take.
const AT_MOST: f64 = 2.0;
/// For attackers to be under way before a window.
const LEAD: Duration = Duration::from_secs(3);
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Measures the rows that were asked for, in peace and beside locked tables in turns.
pub(crate) async fn measure(
    database: &Database,
    port: u16,
    tenants: &[Tenant],
    options: &Options,
) -> anyhow::Result<Vec<Attacked>> {
    let mut rows = Vec::new();
    for (name, attackers) in NAMES.into_iter().zip(ATTACKERS) {
        if options.only.is_empty() || options.only.iter().any(|part| name.contains(part.as_str())) {
            let enough = attackers + NEIGHBOURS;
            ensure!(
                tenants.len() >= enough,
                "{name}: needs {enough} tenants (--tenants)"
            );
            let (attackers, neighbours) = tenants[..enough].split_at(attackers);
            rows.push(row(name, database, port, [attackers, neighbours], options).await?);
        }
    }
    Ok(rows)
}

async fn row(
    name: &'static str,
    database: &Database,
    port: u16,
    [attackers, neighbours]: [&[Tenant]; 2],
    options: &Options,
) -> anyhow::Result<Attacked> {
    let length = Duration::from_secs(if options.quick { 3 } else { 15 });
    let requests: Vec<_> = neighbours.iter().map(requests::notes).collect();
    let modest = Modest::new(port, &requests);
    modest.window(LEAD).await?;
    let (mut idle, mut under, mut attack) = (Vec::new(), Vec::new(), String::new());
    for round in 1..=options.rounds() {
        eprintln!("bench: {name}, round {round} of {}", options.rounds());
        let calm = options.quick || quiet::settle().await?;
        let mut window = modest.window(length).await?;
        window.noisy = !calm;
        idle.push(window);
        let (window, managed) = beside(database, port, attackers, &modest, length).await?;
        under.push(window);
        attack = managed;
    }
    Attacked::new(name, [&idle, &under], AT_MOST, attack)
}

/// A window while the attackers' tables are locked.
async fn beside(
    database: &Database,
    port: u16,
    attackers: &[Tenant],
    modest: &Modest,
    length: Duration,
) -> anyhow::Result<(Window, String)> {
    let admin = database.connect(ADMIN).await?;
    admin.batch_execute("BEGIN").await?;
    let mut asking = JoinSet::new();
    let [answered, refused] = [(); 2].map(|()| Arc::new(AtomicU64::new(0)));
    // Requests come spread over a second, as they do from many clients, and so do their refusals.
    let apart = RETRY_AFTER / u32::try_from(attackers.len() * WAITING)?;
    let mut starts = (0..).map(|number| apart * number);
    for attacker in attackers {
        let schema = format!("tenant_{}", attacker.slug.replace('-', "_"));
        let lock = format!("LOCK TABLE {schema}.notes IN ACCESS EXCLUSIVE MODE");
        admin.batch_execute(&lock).await?;
        let request: Arc<[u8]> = modest::text(&requests::notes(attacker)).into_bytes().into();
        for start in starts.by_ref().take(WAITING) {
            let counts = [answered.clone(), refused.clone()];
            asking.spawn(ask(port, start, request.clone(), counts));
        }
    }
    tokio::time::sleep(LEAD).await;
    let window = modest.window(length).await?;
    asking.shutdown().await;
    admin.batch_execute("ROLLBACK").await?;
    let [answered, refused] = [answered, refused].map(|count| count.load(Ordering::Relaxed));
    ensure!(
        answered == 0,
        "{answered} requests for a locked table were answered"
    );
    let count = attackers.len();
    Ok((
        window,
        format!("{count} tenants with {WAITING} requests each: {refused} refused"),
    ))
}

/// Asks again and again, from a while after now.
async fn ask(
    port: u16,
    start: Duration,
    request: Arc<[u8]>,
    [answered, refused]: [Arc<AtomicU64>; 2],
) {
    tokio::time::sleep(start).await;
    loop {
        if let Ok(mut connection) = Connection::open([127, 0, 0, 1], port).await
            && let Ok(status) = connection.ask(&request).await
        {
            let count = if status == 503 { &refused } else { &answered };
            count.fetch_add(1, Ordering::Relaxed);
        }
        tokio::time::sleep(RETRY_AFTER).await;
    }
}
