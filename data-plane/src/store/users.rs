//! Users of a tenant, looked up; [`changes`] adds, changes and removes them.

pub(crate) mod changes;

use serde::{Deserialize, Serialize};
use tenancy::TenantDb;
use time::OffsetDateTime;
use tokio_postgres::Row;
use utoipa::ToSchema;

use crate::{error::Error, ids::UserId};

macro_rules! columns {
    () => {
        "id, username, email, role, is_active, created_at, updated_at, last_login_at"
    };
}
use columns;

tenancy::statements! {
    BY_ID = concat!("SELECT ", columns!(), " FROM users WHERE id = $1");
    BY_LOGIN = concat!(
        "SELECT ", columns!(), ", password_hash, credentials_version FROM users ",
        "WHERE lower(username) = lower($1) OR lower(email) = lower($1)"
    );
    LIST = concat!(
        "SELECT ", columns!(), " FROM users WHERE ($1::uuid IS NULL OR id > $1) ",
        "AND ($2::text IS NULL OR position(lower($2) IN lower(username)) > 0 ",
        "OR position(lower($2) IN lower(email)) > 0) ",
        "AND ($3::text IS NULL OR role = $3) AND ($4::bool IS NULL OR is_active = $4) ",
        "ORDER BY id LIMIT $5"
    );
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
#[schema(example = json!(
    {"id": "0197c5a0-7e1c-7cc3-98c4-dc0c0c07398f", "username": "ada",
    "email": "ada@example.com", "role": "user", "is_active": true,
    "created_at": "2026-01-31T09:30:00Z", "updated_at": "2026-01-31T09:30:00Z",
    "last_login_at": null}
))]
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

/// A user's row as a sign-in checks it.
pub(crate) struct Login {
    pub(crate) user: User,
    pub(crate) password_hash: String,
    pub(crate) credentials_version: i32,
}

/// Which users to list.
pub(crate) struct Filter<'a> {
    pub(crate) after: Option<UserId>,
    pub(crate) search: Option<&'a str>,
    pub(crate) role: Option<Role>,
    pub(crate) is_active: Option<bool>,
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

/// The user of a username or email, with what their password is checked against.
///
/// # Errors
/// Those of the database.
pub(crate) async fn by_login(db: &TenantDb, name: &str) -> Result<Option<Login>, Error> {
    let row = db.query_opt(BY_LOGIN, &[&name]).await?;
    row.map(|row| {
        Ok(Login {
            user: read(&row)?,
            password_hash: row.try_get("password_hash")?,
            credentials_version: row.try_get("credentials_version")?,
        })
    })
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
