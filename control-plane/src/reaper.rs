//! What happens by itself: deleted tenants are purged when their grace period is over and their roles
//! dropped, logins
//! that were opened for a while are closed, claims of domains end, slugs that were given up are let
//! go of, spare roles are made, old idempotency keys forgotten, tenants counted that a migration has
//! not reached, and what stayed open for services of the version before closed when the last of them
//! is gone.
//!
//! The reaper takes no hints. It looks at the registry, does the next thing, and looks again; any
//! number of them may run, since each step locks what it changes. What fails is logged and tried
//! again at the next look.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{app::ControlPlane, error::Error};

/// Who the record says did it.
const ACTOR: &str = "reaper";
/// Roles made in one transaction.
const BATCH: i32 = 256;

/// Looks after the registry until told to stop.
pub async fn run(plane: ControlPlane, stop: CancellationToken) {
    loop {
        look(&plane).await;
        tokio::select! {
            () = tokio::time::sleep(pause(&plane)) => (),
            () = stop.cancelled() => return,
        }
    }
}

/// Up to a quarter longer than it should be, so that several reapers drift apart.
fn pause(plane: &ControlPlane) -> Duration {
    let seconds = Duration::from_secs(plane.settings().reaper_seconds.get().into());
    let [chance] = plane.entropy().bytes();
    seconds + seconds * u32::from(chance) / 1024
}

/// Does all that is to be done now.
pub async fn look(plane: &ControlPlane) {
    let steps = [
        ("making spare roles", fill_roles(plane).await),
        // Before a purge, which waits for whoever is at the tenant's tables.
        ("closing inspections", close_inspections(plane).await),
        ("purging deleted tenants", purge_due(plane).await),
        ("dropping roles", drop_roles(plane).await),
        ("ending claims of domains", end_claims(plane).await),
        ("letting go of former slugs", let_go_of_slugs(plane).await),
        ("forgetting idempotency keys", forget_keys(plane).await),
        ("counting tenants behind", count_behind(plane).await),
        (
            "taking roles from the former login",
            plane.store().take_from_former_login(BATCH).await,
        ),
        (
            "closing former channels",
            plane.store().close_former_channels().await,
        ),
    ];
    for (step, outcome) in steps {
        if let Err(cause) = outcome {
            metrics::counter!("operation_failures_total", "operation" => step).increment(1);
            tracing::warn!(step, %cause, "tried again at the next look");
        }
    }
}

/// How many roles are ready for tenants to come. Without any, a sign-up makes its own.
///
/// # Errors
/// Those of the database.
pub async fn spare_roles(plane: &ControlPlane) -> Result<i64, Error> {
    plane.store().spare_roles().await
}

async fn fill_roles(plane: &ControlPlane) -> Result<(), Error> {
    let wanted = i64::from(plane.settings().spare_roles);
    // Refilled from half, so that roles change seldom: each change costs every connection.
    if plane.store().spare_roles().await? > wanted / 2 {
        return Ok(());
    }
    while plane.store().spare_roles().await? < wanted {
        plane.store().make_roles(BATCH).await?;
    }
    Ok(())
}

/// One that cannot be purged does not hold up the others.
async fn purge_due(plane: &ControlPlane) -> Result<(), Error> {
    let mut outcome = Ok(());
    for slug in plane.store().due(plane.now()).await? {
        match plane.purge(&slug, ACTOR).await {
            // Restored, renamed, or purged by another, since we looked.
            Ok(()) | Err(Error::WrongStatus(_) | Error::NoTenant(_) | Error::Renamed { .. }) => (),
            Err(cause) => outcome = Err(cause),
        }
    }
    outcome
}

/// In a batch at most once a look: each change of a role costs every connection.
async fn drop_roles(plane: &ControlPlane) -> Result<(), Error> {
    plane.store().drop_purged_roles(BATCH).await.map(drop)
}

/// One that cannot be closed does not hold up the others.
async fn close_inspections(plane: &ControlPlane) -> Result<(), Error> {
    let ended = plane.store().end_long_inspections().await?;
    if ended > 0 {
        tracing::info!(
            ended,
            "inspections in transactions of more than five minutes ended"
        );
    }
    let mut outcome = Ok(());
    for login in plane.store().inspections_over(plane.now()).await? {
        if let Err(cause) = plane.end_inspection(&login, ACTOR).await {
            outcome = Err(cause);
        }
    }
    outcome
}

async fn end_claims(plane: &ControlPlane) -> Result<(), Error> {
    let swept = plane.store().sweep_claims(plane.now(), ACTOR).await;
    swept.map(drop)
}

async fn let_go_of_slugs(plane: &ControlPlane) -> Result<(), Error> {
    let swept = plane.store().sweep_former_slugs(plane.now(), ACTOR).await;
    swept.map(drop)
}

async fn forget_keys(plane: &ControlPlane) -> Result<(), Error> {
    plane.store().sweep_keys(plane.now()).await.map(drop)
}

async fn count_behind(plane: &ControlPlane) -> Result<(), Error> {
    let behind = plane.store().count_behind().await?;
    metrics::gauge!("tenants_behind").set(behind as f64);
    Ok(())
}
