//! A tenant's users, written from outside of it.
//!
//! Names are relative to the tenant's schema, which is the path of the transaction alone; so these
//! statements are never prepared ahead, where they would mean another tenant's tables.

use serde::Serialize;
use tenancy::{Revocation, SchemaName, Slug, db::Error as DbError, settings::TenantSettings};
use time::OffsetDateTime;
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Store,
    changes::{Locked, lock},
    events::{self, Change},
    tx::Tx,
};
use crate::error::Error;

tenancy::statements! {
    LIMIT = "SELECT p.max_users FROM platform.tenants t JOIN platform.plans p ON p.name = t.plan \
        WHERE t.id = $1";
    SETTINGS = "SELECT settings::text FROM platform.tenants \
        WHERE slug = $1 AND status <> 'purged'";
    PUBLISH = "SELECT platform.publish_revocation_of($1, $2)";
}

const FIND: &str = "SELECT id, username, email, role FROM users \
    WHERE lower(username) = lower($1) OR lower(email) = lower($1)";
const COUNT: &str = "SELECT count(*) FROM users";
const ADD: &str = "INSERT INTO users \
    (id, username, email, password_hash, role, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING id, username, email, role";
const SET_PASSWORD: &str = "WITH changed AS ( \
        UPDATE users SET password_hash = $2, updated_at = $3, \
            credentials_version = credentials_version + 1 \
        WHERE id = $1 \
        RETURNING id, username, email, role \
    ), ended AS ( \
        DELETE FROM sessions USING changed WHERE user_id = changed.id \
    ) \
    SELECT id, username, email, role FROM changed";

type Typed<'a> = (&'a (dyn ToSql + Sync), Type);

/// A user of a tenant, as an operator sees them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Member {
    /// Stays for good.
    pub id: Uuid,
    /// Unique in the tenant.
    pub username: String,
    /// Unique in the tenant.
    pub email: String,
    /// `owner`, `admin` or `user`.
    pub role: String,
}

/// A user to be written.
pub(crate) struct NewRow {
    pub(crate) id: Uuid,
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) password_hash: String,
    pub(crate) role: &'static str,
}

impl Store {
    /// Adds a user, if the plan has room.
    ///
    /// # Errors
    /// `NoTenant`, `Quota`, `Taken`.
    pub(crate) async fn add_member(
        &self,
        slug: &Slug,
        new: &NewRow,
        change: &Change<'_>,
    ) -> Result<Member, Error> {
        let tx = self.begin().await?;
        tx.begin().await?;
        let outcome = async {
            let tenant = enter(&tx, slug).await?;
            check_room(&tx, &tenant).await?;
            let member = add(&tx, new, change.now).await?;
            events::record(&tx, tenant.id, change).await?;
            Ok(member)
        }
        .await;
        tx.end(outcome).await
    }

    /// The user of a username or email address.
    ///
    /// # Errors
    /// `NoTenant`, `NoUser`.
    pub(crate) async fn member(&self, slug: &Slug, user: &str) -> Result<Member, Error> {
        let tx = self.begin().await?;
        tx.begin().await?;
        let outcome = async {
            enter(&tx, slug).await?;
            let rows = tx
                .client()
                .query_typed(FIND, &[(&user, Type::TEXT)])
                .await?;
            let row = rows.first();
            row.map_or_else(|| Err(Error::NoUser(user.to_owned())), read)
        }
        .await;
        tx.end(outcome).await
    }

    /// What a tenant's owner decided.
    ///
    /// # Errors
    /// `NoTenant`.
    pub(crate) async fn settings(&self, slug: &Slug) -> Result<TenantSettings, Error> {
        let rows = self.query(SETTINGS, &[&slug.as_str()]).await?;
        let row = rows
            .first()
            .ok_or_else(|| Error::NoTenant(slug.to_string()))?;
        let settings: String = row.try_get(0)?;
        Ok(serde_json::from_str(&settings).map_err(DbError::unreadable)?)
    }

    /// Sets a user's password; whatever acted for them does so no longer.
    ///
    /// # Errors
    /// `NoTenant`, `NoUser`.
    pub(crate) async fn set_password(
        &self,
        slug: &Slug,
        user: &Member,
        hash: &str,
        change: &Change<'_>,
    ) -> Result<Member, Error> {
        let tx = self.begin().await?;
        tx.begin().await?;
        let outcome = async {
            let tenant = enter(&tx, slug).await?;
            let member = set_password(&tx, user, hash, change.now).await?;
            let revocation = Revocation::User(member.id).to_string();
            tx.query(PUBLISH, &[&tenant.id, &revocation]).await?;
            events::record(&tx, tenant.id, change).await?;
            Ok(member)
        }
        .await;
        tx.end(outcome).await
    }
}

/// Locks a tenant's row, and makes its schema the transaction's path.
async fn enter(tx: &Tx, slug: &Slug) -> Result<Locked, Error> {
    let tenant = lock(tx, slug).await?;
    let schema: SchemaName = tenant.schema.parse().map_err(DbError::unreadable)?;
    let path = format!("SET LOCAL search_path TO {schema}");
    let client = tx.client();
    client.batch_execute(&path).await.map_err(DbError::from)?;
    Ok(tenant)
}

async fn check_room(tx: &Tx, tenant: &Locked) -> Result<(), Error> {
    let rows = tx.query(LIMIT, &[&tenant.id]).await?;
    let limit: Option<i32> = rows.first().map_or(Ok(None), |row| row.try_get(0))?;
    let Some(limit) = limit.map(i64::from) else {
        return Ok(());
    };
    // The lock that the data plane takes too, so that both together stay within the plan.
    let lock = "SELECT FROM usage WHERE resource = 'users' FOR UPDATE";
    tx.client().query_typed(lock, &[]).await?;
    let rows = tx.client().query_typed(COUNT, &[]).await?;
    let used: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
    if used >= limit {
        return Err(Error::Quota { limit, used });
    }
    Ok(())
}

async fn add(tx: &Tx, new: &NewRow, now: OffsetDateTime) -> Result<Member, Error> {
    let params: [Typed<'_>; 6] = [
        (&new.id, Type::UUID),
        (&new.username, Type::TEXT),
        (&new.email, Type::TEXT),
        (&new.password_hash, Type::TEXT),
        (&new.role, Type::TEXT),
        (&now, Type::TIMESTAMPTZ),
    ];
    let rows = tx.client().query_typed(ADD, &params).await.map_err(taken)?;
    let row = rows.first().ok_or_else(|| DbError::unreadable("no row"))?;
    read(row)
}

async fn set_password(
    tx: &Tx,
    user: &Member,
    hash: &str,
    now: OffsetDateTime,
) -> Result<Member, Error> {
    let params: [Typed<'_>; 3] = [
        (&user.id, Type::UUID),
        (&hash, Type::TEXT),
        (&now, Type::TIMESTAMPTZ),
    ];
    let rows = tx.client().query_typed(SET_PASSWORD, &params).await?;
    let row = rows.first();
    row.map_or_else(|| Err(Error::NoUser(user.username.clone())), read)
}

fn taken(error: tokio_postgres::Error) -> Error {
    let error = DbError::from(error);
    let field = match error.unique_violation() {
        Some("users_username_key") => "username",
        Some("users_email_key") => "email",
        _ => return error.into(),
    };
    Error::Taken { field }
}

fn read(row: &Row) -> Result<Member, Error> {
    Ok(Member {
        id: row.try_get("id")?,
        username: row.try_get("username")?,
        email: row.try_get("email")?,
        role: row.try_get("role")?,
    })
}
