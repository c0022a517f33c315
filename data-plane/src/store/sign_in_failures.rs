//! Sign-ins that failed, counted before the password is checked and forgiven when it is right.
//!
//! A key (an account, a name, a network) is blocked for a while, longer with each failure beyond its
//! budget. All processes share the counts.

use std::time::Duration;

use tenancy::TenantDb;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::Error;

/// How long failures are remembered after the last of them; the statements say it again.
pub(crate) const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// Until when so many failures block a key: 10 seconds at first, doubled by each, 15 minutes at most.
macro_rules! delay {
    ($failures:literal) => {
        concat!(
            "CASE WHEN ",
            $failures,
            " >= excluded.budget THEN $3 + interval '1 second' ",
            "* least(900, 10 * 2 ^ least(",
            $failures,
            " - excluded.budget, 7)) END"
        )
    };
}

tenancy::statements! {
    // The condition of the update is checked on the locked row, so that of many guesses at once
    // none is counted beyond the budget. Keys are locked in one order everywhere.
    COUNT = concat!(
        "WITH blocked AS (SELECT max(blocked_until) AS until FROM sign_in_failures ",
        "WHERE key = ANY ($1) AND blocked_until > $3), ",
        "swept AS (DELETE FROM sign_in_failures WHERE $4::bool AND key IN ",
        "(SELECT key FROM sign_in_failures WHERE expires_at <= $3 AND key <> ALL ($1) ",
        "LIMIT 1000 FOR UPDATE SKIP LOCKED)), ",
        "counted AS (INSERT INTO sign_in_failures AS kept ",
        "(key, failures, budget, blocked_until, expires_at) ",
        "SELECT key, 1, budget, NULL::timestamptz, $3 + interval '1 day' ",
        "FROM unnest($1::uuid[], $2::int[]) AS asked (key, budget), blocked ",
        "WHERE until IS NULL ORDER BY key ",
        "ON CONFLICT (key) DO UPDATE SET budget = excluded.budget, ",
        "expires_at = excluded.expires_at, ",
        "failures = CASE WHEN kept.expires_at <= $3 THEN 1 ELSE kept.failures + 1 END, ",
        "blocked_until = CASE WHEN kept.expires_at > $3 THEN ",
        delay!("kept.failures + 1"), " END ",
        "WHERE kept.blocked_until IS NULL OR kept.blocked_until <= $3 RETURNING key) ",
        "SELECT (SELECT until FROM blocked) AS blocked_until, ",
        "ARRAY(SELECT key FROM counted) AS counted"
    );
    FORGIVE = "UPDATE sign_in_failures AS kept SET failures = greatest(kept.failures - 1, 0), \
        blocked_until = CASE WHEN kept.failures > kept.budget THEN kept.blocked_until END \
        FROM (SELECT key FROM sign_in_failures WHERE key = ANY ($1) ORDER BY key FOR UPDATE) AS locked \
        WHERE kept.key = locked.key";
}

/// Whether an attempt may be made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    /// It may, and is counted as failed under every key.
    Yes,
    /// It may not before this time, and is counted under none.
    BlockedUntil(OffsetDateTime),
}

/// Counts an attempt as failed under all keys, of each of which so many failures cost no delay,
/// unless one of them is blocked. `sweep`: expired rows are removed as well.
///
/// # Errors
/// Those of the database.
pub(crate) async fn count(
    db: &TenantDb,
    keys: &[Uuid],
    budgets: &[i32],
    now: OffsetDateTime,
    sweep: bool,
) -> Result<Counted, Error> {
    let row = db
        .query_one(COUNT, &[&keys, &budgets, &now, &sweep])
        .await?;
    if let Some(until) = row.try_get("blocked_until")? {
        return Ok(Counted::BlockedUntil(until));
    }
    let counted: Vec<Uuid> = row.try_get("counted")?;
    if counted.len() == keys.len() {
        return Ok(Counted::Yes);
    }
    // Others spent a budget at the same moment.
    forgive(db, &counted).await?;
    Ok(Counted::BlockedUntil(now))
}

/// Takes back that an attempt was counted: it succeeded, or no password was checked.
///
/// # Errors
/// Those of the database.
pub(crate) async fn forgive(db: &TenantDb, keys: &[Uuid]) -> Result<(), Error> {
    db.execute(FORGIVE, &[&keys]).await?;
    Ok(())
}
