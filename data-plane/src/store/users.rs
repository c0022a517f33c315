//! Users of a tenant.

use serde::{Deserialize, Serialize};
use tenancy::{TenantDb, db::Transaction};
use time::OffsetDateTime;
use tokio_postgres::Row;
use utoipa::ToSchema;

use super::publish;
use crate::{caller::Revoked, error::Error, ids::UserId};

macro_rules! columns {
    () => {
        "id, username, email, role, is_active, created_at, updated_at, last_login_at"
    };
}

tenancy::statements! {
    LOCK = "LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE";
    COUNT = "SELECT count(*) FROM users";
    INSERT = concat!(
        "INSERT INTO users (id, username, email, password_hash, role, created_at, updated_at) ",
        "VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING ", columns!()
    );
    BY_ID = concat!("SELECT ", columns!(), " FROM users WHERE id = $1");
    BY_LOGIN = concat!(
        "SELECT ", columns!(), ", password_hash FROM users ",
        "WHERE lower(username) = lower($1) OR lower(email) = lower($1)"
    );
    LIST = concat!(
        "SELECT ", columns!(), " FROM users WHERE ($1::uuid IS NULL OR id > $1) ",
        "AND ($2::text IS NULL OR position(lower($2) IN lower(username)) > 0 ",
        "OR position(lower($2) IN lower(email)) > 0) ",
        "AND ($3::text IS NULL OR role = $3) AND ($4::bool IS NULL OR is_active = $4) ",
        "ORDER BY id LIMIT $5"
    );
    UPDATE = concat!(
        "UPDATE users SET username = coalesce($2, username), email = coalesce($3, email), ",
        "is_active = coalesce($4, is_active), password_hash = coalesce($5, password_hash), ",
        "role = coalesce($6, role), updated_at = $7 WHERE id = $1 RETURNING ", columns!()
    );
    OTHER_OWNERS =
        "SELECT count(*) FROM users WHERE role = 'owner' AND is_active AND id <> $1";
    DELETE = "DELETE FROM users WHERE id = $1";
    END_SESSIONS = "DELETE FROM sessions WHERE user_id = $1";
    REVOKE_TOKENS = "UPDATE tokens SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL";
}

/// What a member may do; a later one may do all that an earlier one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Uses the tenant.
    User,
    /// Administers users and clients.
    Admin,
    /// Decides everything.
    Owner,
}

impl Role {
    pub(crate) fn administers(self) -> bool {
        self >= Self::Admin
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// Reads a word; `None` when it is no role.
    pub(crate) fn read(text: &str) -> Option<Self> {
        [Self::User, Self::Admin, Self::Owner]
            .into_iter()
            .find(|role| role.as_str() == text)
    }
}

/// A user, as those who administer the tenant see one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct User {
    /// Stays for good.
    pub(crate) id: UserId,
    /// Unique in the tenant, without regard to case.
    pub(crate) username: String,
    /// Unique in the tenant, without regard to case.
    pub(crate) email: String,
    /// What they may do.
    pub(crate) role: Role,
    /// Whether they can sign in and their tokens count.
    pub(crate) is_active: bool,
    /// When they were added.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    /// When they were last changed.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) updated_at: OffsetDateTime,
    /// When they last signed in.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) last_login_at: Option<OffsetDateTime>,
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
}

impl Changes {
    /// Whether what the user holds must not work any longer.
    fn revokes(&self) -> bool {
        self.is_active == Some(false) || self.password_hash.is_some()
    }

    fn may_unseat_an_owner(&self) -> bool {
        self.is_active == Some(false) || self.role.is_some_and(|role| role != Role::Owner)
    }
}

/// Which users to list.
pub(crate) struct Filter<'a> {
    pub(crate) after: Option<UserId>,
    pub(crate) search: Option<&'a str>,
    pub(crate) role: Option<Role>,
    pub(crate) is_active: Option<bool>,
}

/// Adds a user, if the plan has room.
///
/// # Errors
/// `Quota` when it has not; `Taken` when the username or email is somebody's.
pub(crate) async fn insert(
    db: &TenantDb,
    new: &NewUser,
    now: OffsetDateTime,
) -> Result<User, Error> {
    let mut tx = db.begin().await?;
    let outcome = insert_in(&mut tx, db, new, now).await;
    tx.end(outcome).await
}

async fn insert_in(
    tx: &mut Transaction,
    db: &TenantDb,
    new: &NewUser,
    now: OffsetDateTime,
) -> Result<User, Error> {
    if let Some(limit) = db.tenant().plan.max_users {
        tx.execute(LOCK, &[]).await?;
        let used: i64 = tx.query_one(COUNT, &[]).await?.get(0);
        let limit = i64::from(limit);
        if used >= limit {
            return Err(Error::Quota {
                quota: "users",
                limit,
                used,
            });
        }
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

/// The user of an id.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn by_id(db: &TenantDb, id: UserId) -> Result<User, Error> {
    let row = db
        .query_opt(BY_ID, &[id.as_uuid()])
        .await?
        .ok_or(Error::NotFound)?;
    read(&row)
}

/// The user of a username or email, with the hash of their password.
///
/// # Errors
/// Those of the database.
pub(crate) async fn by_login(db: &TenantDb, name: &str) -> Result<Option<(User, String)>, Error> {
    let row = db.query_opt(BY_LOGIN, &[&name]).await?;
    row.map(|row| Ok((read(&row)?, row.try_get("password_hash")?)))
        .transpose()
}

/// Users in the order in which they were added.
///
/// # Errors
/// Those of the database.
pub(crate) async fn list(
    db: &TenantDb,
    filter: &Filter<'_>,
    limit: i64,
) -> Result<Vec<User>, Error> {
    let after = filter.after.as_ref().map(UserId::as_uuid);
    let role = filter.role.map(Role::as_str);
    let rows = db
        .query(
            LIST,
            &[&after, &filter.search, &role, &filter.is_active, &limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Changes a user; whatever memory knows of them is forgotten.
///
/// # Errors
/// `NotFound`, `Taken`, or `LastOwner` when no active owner would be left.
pub(crate) async fn update(
    db: &TenantDb,
    id: UserId,
    changes: &Changes,
    now: OffsetDateTime,
) -> Result<User, Error> {
    let mut tx = db.begin().await?;
    let outcome = update_in(&mut tx, db, id, changes, now).await;
    tx.end(outcome).await
}

async fn update_in(
    tx: &mut Transaction,
    db: &TenantDb,
    id: UserId,
    changes: &Changes,
    now: OffsetDateTime,
) -> Result<User, Error> {
    if changes.may_unseat_an_owner() {
        keep_an_owner(tx, id).await?;
    }
    let role = changes.role.map(Role::as_str);
    let row = tx
        .query_opt(
            UPDATE,
            &[
                id.as_uuid(),
                &changes.username,
                &changes.email,
                &changes.is_active,
                &changes.password_hash,
                &role,
                &now,
            ],
        )
        .await
        .map_err(taken)?
        .ok_or(Error::NotFound)?;
    if changes.revokes() {
        tx.execute(END_SESSIONS, &[id.as_uuid()]).await?;
        tx.execute(REVOKE_TOKENS, &[id.as_uuid(), &now]).await?;
    }
    publish(tx, db, &Revoked::User(id)).await?;
    read(&row)
}

/// Removes a user, with their sessions and tokens.
///
/// # Errors
/// `NotFound`, or `LastOwner`.
pub(crate) async fn delete(db: &TenantDb, id: UserId) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    let outcome = delete_in(&mut tx, db, id).await;
    tx.end(outcome).await
}

async fn delete_in(tx: &mut Transaction, db: &TenantDb, id: UserId) -> Result<(), Error> {
    keep_an_owner(tx, id).await?;
    if tx.execute(DELETE, &[id.as_uuid()]).await? == 0 {
        return Err(Error::NotFound);
    }
    publish(tx, db, &Revoked::User(id)).await
}

/// Makes sure that, without this user, an active owner is left; nobody else changes users until
/// the transaction ends.
async fn keep_an_owner(tx: &mut Transaction, id: UserId) -> Result<(), Error> {
    tx.execute(LOCK, &[]).await?;
    let row = tx
        .query_opt(BY_ID, &[id.as_uuid()])
        .await?
        .ok_or(Error::NotFound)?;
    let user = read(&row)?;
    if user.role != Role::Owner || !user.is_active {
        return Ok(());
    }
    let others: i64 = tx.query_one(OTHER_OWNERS, &[id.as_uuid()]).await?.get(0);
    if others == 0 {
        Err(Error::LastOwner)
    } else {
        Ok(())
    }
}

fn taken(error: tenancy::db::Error) -> Error {
    match error.unique_violation() {
        Some("users_username_key") => Error::Taken("username"),
        Some("users_email_key") => Error::Taken("email"),
        _ => error.into(),
    }
}

/// Reads a role that the database holds.
pub(super) fn role(row: &Row) -> Result<Role, Error> {
    let text: String = row.try_get("role")?;
    Role::read(&text).ok_or_else(|| tenancy::db::Error::unreadable("role").into())
}

fn read(row: &Row) -> Result<User, Error> {
    Ok(User {
        id: UserId::new(row.try_get("id")?),
        username: row.try_get("username")?,
        email: row.try_get("email")?,
        role: role(row)?,
        is_active: row.try_get("is_active")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
        last_login_at: row.try_get("last_login_at")?,
    })
}
