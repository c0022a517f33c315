//! Devices that have signed in before, by account. Guessing by others does not lock them out.

use tenancy::{TenantDb, db::Params};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::{error::Error, ids::UserId};

tenancy::statements! {
    COUNT = "UPDATE known_devices SET failures = failures + 1 \
        WHERE user_id = $1 AND digest = $2 AND failures < $3 AND last_used_at > $4";
    FORGIVE = "UPDATE known_devices SET failures = greatest(failures - 1, 0) \
        WHERE user_id = $1 AND digest = $2";
    RETURNED = "UPDATE known_devices SET failures = 0, last_used_at = $3 \
        WHERE user_id = $1 AND digest = $2 AND last_used_at > $4";
    // Those that came back stay longer than those that were seen once.
    REMEMBER = "WITH surplus AS (DELETE FROM known_devices WHERE user_id = $1 AND digest IN \
        (SELECT digest FROM known_devices WHERE user_id = $1 \
        ORDER BY last_used_at > created_at DESC, last_used_at DESC OFFSET $4 \
        FOR UPDATE SKIP LOCKED)) \
        INSERT INTO known_devices (user_id, digest, created_at, last_used_at) \
        SELECT id, $2::uuid, $3::timestamptz, $3 FROM users WHERE id = $1 FOR KEY SHARE";
}

/// Failures in a row that a device has of its own.
const BUDGET: i32 = 10;

/// Devices that are remembered of an account.
const MAX_DEVICES: i64 = 20;

/// How long a device is known after it last signed in.
pub(crate) const KNOWN_FOR: Duration = Duration::days(180);

/// Counts an attempt as failed on a device. `false`, and nothing counted, when the device is not known
/// at this account or has failed too often: then it is a stranger.
///
/// # Errors
/// Those of the database.
pub(crate) async fn count(
    db: &TenantDb,
    user: UserId,
    device: Uuid,
    now: OffsetDateTime,
) -> Result<bool, Error> {
    let since = now - KNOWN_FOR;
    let params: Params<'_> = &[user.as_uuid(), &device, &BUDGET, &since];
    Ok(db.execute(COUNT, params).await? == 1)
}

/// Takes back that an attempt was counted.
///
/// # Errors
/// Those of the database.
pub(crate) async fn forgive(db: &TenantDb, user: UserId, device: Uuid) -> Result<(), Error> {
    db.execute(FORGIVE, &[user.as_uuid(), &device]).await?;
    Ok(())
}

/// Notes that a device has signed in again. `false` when it is not known at this account.
///
/// # Errors
/// Those of the database.
pub(crate) async fn returned(
    db: &TenantDb,
    user: UserId,
    device: Uuid,
    now: OffsetDateTime,
) -> Result<bool, Error> {
    let params: Params<'_> = &[user.as_uuid(), &device, &now, &(now - KNOWN_FOR)];
    Ok(db.execute(RETURNED, params).await? == 1)
}

/// Remembers a device that has signed in for the first time; the account's oldest make way.
///
/// # Errors
/// Those of the database.
pub(crate) async fn remember(
    db: &TenantDb,
    user: UserId,
    device: Uuid,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let params: Params<'_> = &[user.as_uuid(), &device, &now, &(MAX_DEVICES - 1)];
    db.execute(REMEMBER, params).await?;
    Ok(())
}
