//! Changes to users, decided on locked rows.
//!
//! Who acts and whom they act on are read under a lock in the transaction that makes the change, so
//! that nobody acts by a role they have lost, or on somebody who has risen above them meanwhile.

use service::Digest;
use tenancy::{Revocation, TenantDb, db::Transaction};
use time::OffsetDateTime;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{BY_ID, Role, User, columns, read, role};
use crate::{caller, error::Error, ids::UserId, store::sessions};

tenancy::statements! {
    // No lock of the table: a transaction that holds rows would wait for it in a circle.
    LOCK_COUNT = "SELECT FROM usage WHERE resource = 'users' FOR UPDATE";
    COUNT = "SELECT count(*) FROM users";
    LOCK_ACTOR = "SELECT id, role, is_active, credentials_version FROM users \
        WHERE id = $1 FOR SHARE";
    LOCK_ROWS = "SELECT id, role, is_active, credentials_version FROM users \
        WHERE id = ANY ($1) OR ($2 AND role = 'owner') ORDER BY id FOR NO KEY UPDATE";
    INSERT = concat!(
        "INSERT INTO users (id, username, email, password_hash, role, created_at, updated_at) ",
        "VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING ", columns!()
    );
    UPDATE = concat!(
        "UPDATE users SET username = coalesce($2, username), email = coalesce($3, email), ",
        "is_active = coalesce($4, is_active), password_hash = coalesce($5, password_hash), ",
        "role = coalesce($6, role), updated_at = $7, credentials_version = $8 WHERE id = $1 ",
        "AND ($5::text IS NOT NULL OR (username, email, is_active, role) IS DISTINCT FROM ",
        "(coalesce($2, username), coalesce($3, email), coalesce($4, is_active), ",
        "coalesce($6, role))) RETURNING ", columns!()
    );
    DELETE = "DELETE FROM users WHERE id = $1";
}

/// A user to be.
pub(crate) struct NewUser {
    pub(crate) id: UserId,
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) password_hash: String,
    pub(crate) role: Role,
}

/// What is to be changed of a user. What is `None` stays.
#[derive(Default)]
pub(crate) struct Changes {
    pub(crate) username: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) is_active: Option<bool>,
    pub(crate) password_hash: Option<String>,
    pub(crate) role: Option<Role>,
    /// The session in which a user changes their own password goes on under a new secret.
    pub(crate) renewed: Option<RenewedSession>,
}

/// A session's secret, and the one that replaces it.
pub(crate) struct RenewedSession {
    pub(crate) old: Digest,
    pub(crate) new: Digest,
}

impl Changes {
    /// Whether sessions and authorizations of before must not count any longer.
    fn moves_credentials(&self, now: &Locked) -> bool {
        self.password_hash.is_some()
            || (now.is_active && self.is_active == Some(false))
            || self.role.is_some_and(|role| role < now.role)
    }

    fn may_unseat_an_owner(&self) -> bool {
        self.is_active == Some(false) || self.role.is_some_and(|role| role != Role::Owner)
    }
}

/// A user's row, locked until the transaction ends.
struct Locked {
    role: Role,
    is_active: bool,
    credentials_version: i32,
}

/// Adds a user, if the plan has room. `actor` is the admin who adds them; `None` when they register
/// themselves.
///
/// # Errors
/// `Quota` when the plan has no room, `Reserved` when it has some for admins only; `Taken` when the username or email is somebody's;
/// `RightLost`, or `AboveOwnRole` for a role above the actor's.
pub(crate) async fn insert(
    db: &TenantDb,
    actor: Option<&caller::User>,
    new: &NewUser,
    now: OffsetDateTime,
) -> Result<User, Error> {
    let mut tx = db.begin().await?;
    let outcome = insert_in(&mut tx, db, actor, new, now).await;
    tx.end(outcome).await
}

async fn insert_in(
    tx: &mut Transaction,
    db: &TenantDb,
    actor: Option<&caller::User>,
    new: &NewUser,
    now: OffsetDateTime,
) -> Result<User, Error> {
    if let Some(limit) = db.tenant().plan.max_users.map(i64::from) {
        tx.query(LOCK_COUNT, &[]).await?;
        let used: i64 = tx.query_one(COUNT, &[]).await?.try_get(0)?;
        room(limit, used, actor.is_some())?;
    }
    if let Some(actor) = actor {
        let acting = require(tx, actor, Role::Admin).await?;
        not_above(acting, new.role)?;
    }
    let row = tx
        .query_one(
            INSERT,
            &[
                new.id.as_uuid(),
                &new.username,
                &new.email,
                &new.password_hash,
                &new.role.as_str(),
                &now,
            ],
        )
        .await
        .map_err(taken)?;
    read(&row)
}

/// Whether the plan has room for one more. A part of it is kept for those whom admins add: whoever
/// registers again and again must not keep an admin from adding anybody.
fn room(limit: i64, used: i64, by_admin: bool) -> Result<(), Error> {
    if used >= limit {
        return Err(Error::Quota {
            quota: "users",
            limit,
            used,
        });
    }
    let reserved = (limit / 5).max(1);
    if by_admin || used < limit - reserved {
        return Ok(());
    }
    Err(Error::Reserved {
        limit,
        used,
        reserved,
    })
}

/// Changes a user. A new password, a deactivation or a lower role ends their sessions and
/// authorizations, the renewed session aside; what they are already changes nothing.
///
/// # Errors
/// `NotFound`, `Taken`; `RightLost` when the actor does not hold `needed` any longer,
/// `AboveOwnRole` when the user is above them; `LastOwner` when no active owner would be left.
pub(crate) async fn update(
    db: &TenantDb,
    actor: &caller::User,
    needed: Role,
    id: UserId,
    changes: &Changes,
    now: OffsetDateTime,
) -> Result<User, Error> {
    let mut tx = db.begin().await?;
    let outcome = async {
        let rows = Rows::lock(&mut tx, actor, id, changes.may_unseat_an_owner()).await?;
        let locked = rows.target(actor, needed, id)?;
        if changes.may_unseat_an_owner() {
            rows.keep_an_owner(id)?;
        }
        update_in(&mut tx, id, locked, changes, now).await
    }
    .await;
    tx.end(outcome).await
}

async fn update_in(
    tx: &mut Transaction,
    id: UserId,
    locked: &Locked,
    changes: &Changes,
    now: OffsetDateTime,
) -> Result<User, Error> {
    let moves = changes.moves_credentials(locked);
    let version = locked.credentials_version + i32::from(moves);
    let row = tx
        .query_opt(
            UPDATE,
            &[
                id.as_uuid(),
                &changes.username,
                &changes.email,
                &changes.is_active,
                &changes.password_hash,
                &changes.role.map(Role::as_str),
                &now,
                &version,
            ],
        )
        .await
        .map_err(taken)?;
    let Some(row) = row else {
        let unchanged = tx.query_opt(BY_ID, &[id.as_uuid()]).await?;
        return read(&unchanged.ok_or(Error::NotFound)?);
    };
    if let Some(session) = &changes.renewed {
        sessions::renew(tx, id, &session.old, &session.new, version).await?;
    }
    if moves {
        sessions::end_outdated(tx, id, version).await?;
    }
    tx.publish(Revocation::User(*id.as_uuid())).await?;
    read(&row)
}

/// Removes a user, with their sessions and tokens.
///
/// # Errors
/// As [`update`], without `Taken`.
pub(crate) async fn delete(db: &TenantDb, actor: &caller::User, id: UserId) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    let outcome = async {
        let rows = Rows::lock(&mut tx, actor, id, true).await?;
        rows.target(actor, Role::Admin, id)?;
        rows.keep_an_owner(id)?;
        tx.execute(DELETE, &[id.as_uuid()]).await?;
        Ok(tx.publish(Revocation::User(*id.as_uuid())).await?)
    }
    .await;
    tx.end(outcome).await
}

/// Locks the row of whoever acts and checks that they still are who they were when their
/// credentials were looked up, and hold a role.
///
/// # Errors
/// `RightLost`.
pub(crate) async fn require(
    tx: &mut Transaction,
    actor: &caller::User,
    needed: Role,
) -> Result<Role, Error> {
    let rows = tx.query(LOCK_ACTOR, &[actor.id.as_uuid()]).await?;
    Rows::read(&rows)?.acting(actor, needed)
}

/// Rows locked in the order of their ids, which is one for all transactions: who acts, whom they act
/// on, and the owners where one of them may go.
struct Rows(Vec<(Uuid, Locked)>);

impl Rows {
    async fn lock(
        tx: &mut Transaction,
        actor: &caller::User,
        target: UserId,
        owners: bool,
    ) -> Result<Self, Error> {
        let ids = [*actor.id.as_uuid(), *target.as_uuid()];
        Self::read(&tx.query(LOCK_ROWS, &[&&ids[..], &owners]).await?)
    }

    fn read(rows: &[Row]) -> Result<Self, Error> {
        let read = |row: &Row| {
            let locked = Locked {
                role: role(row)?,
                is_active: row.try_get("is_active")?,
                credentials_version: row.try_get("credentials_version")?,
            };
            Ok((row.try_get("id")?, locked))
        };
        rows.iter()
            .map(read)
            .collect::<Result<_, Error>>()
            .map(Self)
    }

    fn find(&self, id: UserId) -> Option<&Locked> {
        let found = self.0.iter().find(|(other, _)| other == id.as_uuid());
        found.map(|(_, locked)| locked)
    }

    /// The role by which somebody acts, if it still is at least what is needed.
    fn acting(&self, actor: &caller::User, needed: Role) -> Result<Role, Error> {
        self.find(actor.id)
            .filter(|own| own.is_active && own.role >= needed)
            .filter(|own| own.credentials_version == actor.credentials_version)
            .map(|own| own.role)
            .ok_or(Error::RightLost)
    }

    /// The user that is acted on, who is not above whoever acts.
    fn target(&self, actor: &caller::User, needed: Role, id: UserId) -> Result<&Locked, Error> {
        let own = self.acting(actor, needed)?;
        let target = self.find(id).ok_or(Error::NotFound)?;
        not_above(own, target.role)?;
        Ok(target)
    }

    /// Makes sure that an active owner is left without this user.
    fn keep_an_owner(&self, id: UserId) -> Result<(), Error> {
        let owns = |user: &Locked| user.role == Role::Owner && user.is_active;
        let mut others = self.0.iter().filter(|(other, _)| other != id.as_uuid());
        if self.find(id).is_some_and(owns) && !others.any(|(_, user)| owns(user)) {
            return Err(Error::LastOwner);
        }
        Ok(())
    }
}

fn not_above(own: Role, other: Role) -> Result<(), Error> {
    if other <= own {
        Ok(())
    } else {
        Err(Error::AboveOwnRole)
    }
}

fn taken(error: tenancy::db::Error) -> Error {
    match error.unique_violation() {
        Some("users_username_key") => Error::Taken("username"),
        Some("users_email_key") => Error::Taken("email"),
        _ => error.into(),
    }
}
