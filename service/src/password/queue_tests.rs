use std::time::Duration;

use tokio::{
    sync::mpsc,
    task::{JoinHandle, JoinSet, yield_now},
};

use super::*;
use crate::request::ClientAddr;

const ROOMY: Bounds = Bounds {
    network: 100,
    tenant: 100,
    total: 100,
    wait: Duration::from_secs(60),
};

fn share(tenant: u128, host: u8) -> Share {
    Share::tenant(tenant, ClientAddr([192, 0, 2, host].into()).network())
}

/// One permit, which somebody else holds until it is dropped: the gate.
async fn gated(bounds: Bounds) -> (FairQueue, Permit) {
    let queue = FairQueue::new(1, bounds);
    let gate = queue.acquire(Share::operators()).await.unwrap();
    (queue, gate)
}

/// Waits in a task of its own, and says by name that it was served, or `!` that it was not.
async fn wait(
    queue: &FairQueue,
    name: char,
    share: Share,
    said: &mpsc::UnboundedSender<char>,
) -> JoinHandle<()> {
    let (queue, said) = (queue.clone(), said.clone());
    let task = tokio::spawn(async move {
        let permit = queue.acquire(share).await;
        let _ = said.send(if permit.is_ok() { name } else { '!' });
    });
    // One thread runs all tasks of a test, so that this one stands in line now.
    yield_now().await;
    task
}

/// In which order waiters are served who came in the order that they are given in.
async fn order(bounds: Bounds, waiters: &[(char, Share)]) -> String {
    let (queue, gate) = gated(bounds).await;
    let (said, mut heard) = mpsc::unbounded_channel();
    for (name, share) in waiters {
        wait(&queue, *name, *share, &said).await;
    }
    drop((said, gate));
    let mut order = String::new();
    while let Some(name) = heard.recv().await {
        order.push(name);
    }
    at_rest(&queue, 1);
    order
}

/// Nobody waits, nothing is remembered, every permit is back.
fn at_rest(queue: &FairQueue, permits: usize) {
    let state = queue.state();
    assert!(state.lines.is_empty());
    assert_eq!(state.free, permits);
}

#[tokio::test]
async fn tenants_are_served_in_turn_however_many_wait_at_one() {
    let waiters = [
        ('a', share(1, 1)),
        ('b', share(1, 1)),
        ('c', share(1, 1)),
        ('X', share(2, 1)),
        ('Y', share(2, 1)),
        ('S', Share::operators()),
    ];
    assert_eq!(order(ROOMY, &waiters).await, "aXSbYc");
}

#[tokio::test]
async fn networks_of_a_tenant_are_served_in_turn() {
    let waiters = [
        ('a', share(1, 1)),
        ('b', share(1, 1)),
        ('c', share(1, 1)),
        ('X', share(1, 2)),
        ('Z', share(2, 3)),
        ('Y', share(1, 2)),
    ];
    assert_eq!(order(ROOMY, &waiters).await, "aZXbYc");
}

#[tokio::test]
async fn a_network_beyond_its_bound_is_refused_at_once_at_whichever_tenant() {
    let bounds = Bounds {
        network: 2,
        ..ROOMY
    };
    let waiters = [
        ('a', share(1, 1)),
        ('b', share(2, 1)),
        ('c', share(3, 1)),
        ('X', share(3, 2)),
    ];
    assert_eq!(order(bounds, &waiters).await, "!abX");
}

#[tokio::test]
async fn at_a_full_tenant_the_longest_line_gives_way_to_a_shorter_one() {
    let bounds = Bounds { tenant: 3, ..ROOMY };
    let waiters = [
        ('a', share(1, 1)),
        ('b', share(1, 1)),
        ('c', share(1, 1)),
        ('d', share(1, 1)),
        ('X', share(1, 2)),
        ('Y', share(1, 2)),
    ];
    // `d` and `Y` find no longer line than their own would be; `c` gives way to `X`.
    assert_eq!(order(bounds, &waiters).await, "!!!aXb");
}

#[tokio::test]
async fn where_all_places_are_taken_the_tenant_with_most_of_them_gives_way() {
    let bounds = Bounds { total: 3, ..ROOMY };
    let waiters = [
        ('a', share(1, 1)),
        ('b', share(1, 1)),
        ('c', share(1, 2)),
        ('X', share(2, 3)),
        ('Y', share(2, 3)),
    ];
    assert_eq!(order(bounds, &waiters).await, "!!aXc");
}

#[tokio::test]
async fn who_hangs_up_frees_the_place_and_the_turn() {
    let (queue, gate) = gated(Bounds { tenant: 1, ..ROOMY }).await;
    let (said, mut heard) = mpsc::unbounded_channel();
    let gone = wait(&queue, 'a', share(1, 1), &said).await;
    assert!(!queue.has_room(share(1, 1)));
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    assert!(queue.has_room(share(1, 1)));
    wait(&queue, 'b', share(1, 1), &said).await;
    drop(gate);
    assert_eq!(heard.recv().await, Some('b'));
    at_rest(&queue, 1);
}

#[tokio::test]
async fn a_permit_that_reaches_nobody_goes_to_the_next() {
    let (queue, gate) = gated(ROOMY).await;
    let (said, mut heard) = mpsc::unbounded_channel();
    let gone = wait(&queue, 'a', share(1, 1), &said).await;
    wait(&queue, 'b', share(1, 1), &said).await;
    // The permit is on its way to `a`, who hangs up before taking it.
    drop(gate);
    gone.abort();
    assert_eq!(heard.recv().await, Some('b'));
    at_rest(&queue, 1);
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    let wait = Duration::from_millis(1);
    let (queue, gate) = gated(Bounds { wait, ..ROOMY }).await;
    assert!(queue.acquire(share(1, 1)).await.is_err());
    drop(gate);
    at_rest(&queue, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_comes_and_goes_no_permit_is_lost_and_no_turn() {
    let entropy = testkit::seed::printed();
    let bounds = Bounds {
        network: 8,
        tenant: 16,
        total: 40,
        wait: Duration::from_secs(60),
    };
    let queue = FairQueue::new(3, bounds);
    let mut tasks = JoinSet::new();
    for _ in 0..testkit::rounds(2_000, 200_000) {
        let [tenant, host, hang_up, at_work] = entropy.bytes();
        let queue = queue.clone();
        tasks.spawn(async move {
            let share = share((tenant % 5).into(), host % 7);
            let work = async {
                let _permit = queue.acquire(share).await;
                for _ in 0..at_work % 8 {
                    yield_now().await;
                }
            };
            let given_up = async {
                for _ in 0..hang_up % 16 {
                    yield_now().await;
                }
            };
            tokio::select! { () = work => (), () = given_up => () }
        });
        if entropy.bytes::<1>()[0].is_multiple_of(4) {
            yield_now().await;
        }
    }
    while tasks.join_next().await.is_some() {}
    at_rest(&queue, 3);
}
