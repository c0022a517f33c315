//! OAuth clients of a tenant.

use service::Digest;
use tenancy::{Revocation, TenantDb, db::Transaction};
use time::OffsetDateTime;
use tokio_postgres::Row;

use super::{
    budget::{Page, within_budget},
    users::{Role, changes::require},
};
use crate::{caller::User, error::Error, scope::Scopes};

/// More origins than a tenant is known to have are not kept in memory.
const MAX_ADDRESSES: i64 = 2000;

macro_rules! columns {
    () => {
        "id, secret_digest, name, grant_types, redirect_uris, scope, token_endpoint_auth_method, \
         created_at, allowed_origins"
    };
}

tenancy::statements! {
    LOCK = "LOCK TABLE clients IN SHARE ROW EXCLUSIVE MODE";
    COUNT = "SELECT count(*) FROM clients";
    INSERT = "INSERT INTO clients (id, secret_digest, name, grant_types, redirect_uris, scope, \
              token_endpoint_auth_method, created_by, created_at, allowed_origins) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    BY_ID = concat!("SELECT ", columns!(), " FROM clients WHERE id = $1");
    LIST = within_budget!(
        columns!(),
        "octet_length(name) + octet_length(array_to_string(redirect_uris, ' ')) + 500",
        concat!(
            "SELECT ", columns!(), " FROM clients WHERE ($1::text IS NULL OR ",
            "(created_at, id) > ($2, $1)) ORDER BY created_at, id LIMIT $3"
        ),
        "created_at, id"
    );
    ADDRESSES = "SELECT DISTINCT unnest(coalesce(allowed_origins, redirect_uris)) AS address \
        FROM clients LIMIT $1";
    DELETE = "DELETE FROM clients WHERE id = $1";
}

/// An OAuth client. Its secret is known to itself alone.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) id: String,
    /// `None`: a public client.
    pub(crate) secret: Option<Digest>,
    pub(crate) name: String,
    pub(crate) grant_types: Vec<String>,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) scope: Scopes,
    pub(crate) auth_method: String,
    pub(crate) created_at: OffsetDateTime,
    /// Whose pages may call; `None`: those of the redirect URIs.
    pub(crate) allowed_origins: Option<Vec<String>>,
}

impl Client {
    pub(crate) fn may_use(&self, grant_type: &str) -> bool {
        self.grant_types.iter().any(|own| own == grant_type)
    }
}

/// Adds a client for an admin, if the plan has room.
///
/// # Errors
/// `Quota` when it has not; `RightLost`.
pub(crate) async fn insert(db: &TenantDb, new: &Client, by: &User) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    let outcome = insert_in(&mut tx, db, new, by).await;
    tx.end(outcome).await
}

async fn insert_in(
    tx: &mut Transaction,
    db: &TenantDb,
    new: &Client,
    by: &User,
) -> Result<(), Error> {
    require(tx, by, Role::Admin).await?;
    if let Some(limit) = db.tenant().plan.max_clients {
        tx.execute(LOCK, &[]).await?;
        let used: i64 = tx.query_one(COUNT, &[]).await?.get(0);
        let limit = i64::from(limit);
        if used >= limit {
            return Err(Error::Quota {
                quota: "clients",
                limit,
                used,
            });
        }
    }
    let secret = new.secret.as_ref().map(Digest::as_bytes);
    tx.execute(
        INSERT,
        &[
            &new.id,
            &secret,
            &new.name,
            &new.grant_types,
            &new.redirect_uris,
            &new.scope.as_slice(),
            &new.auth_method,
            by.id.as_uuid(),
            &new.created_at,
            &new.allowed_origins,
        ],
    )
    .await?;
    // For whoever keeps the tenant's clients, or what they have in common, in memory.
    Ok(tx.publish(Revocation::Client(new.id.clone())).await?)
}

/// The addresses that say from which origins pages may call, of all clients together.
///
/// # Errors
/// Those of the database.
pub(crate) async fn addresses(db: &TenantDb) -> Result<Vec<String>, Error> {
    let rows = db.query(ADDRESSES, &[&MAX_ADDRESSES]).await?;
    rows.iter().map(|row| Ok(row.try_get("address")?)).collect()
}

/// The client of an id.
///
/// # Errors
/// Those of the database.
pub(crate) async fn by_id(db: &TenantDb, id: &str) -> Result<Option<Client>, Error> {
    db.query_opt(BY_ID, &[&id])
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// At most `limit` clients in the order in which they were added, after one of them.
///
/// # Errors
/// Those of the database.
pub(crate) async fn list(
    db: &TenantDb,
    after: Option<&(OffsetDateTime, String)>,
    limit: i64,
) -> Result<Page<Client>, Error> {
    let (at, id) = after.map(|(at, id)| (*at, id.as_str())).unzip();
    let rows = db.query(LIST, &[&id, &at, &(limit + 1)]).await?;
    Page::read(&rows, limit, read)
}

/// Removes a client for an admin, and all that was issued to it.
///
/// # Errors
/// `NotFound`, `RightLost`.
pub(crate) async fn delete(db: &TenantDb, id: &str, by: &User) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    let outcome = async {
        require(&mut tx, by, Role::Admin).await?;
        if tx.execute(DELETE, &[&id]).await? == 0 {
            return Err(Error::NotFound);
        }
        Ok(tx.publish(Revocation::Client(id.to_owned())).await?)
    }
    .await;
    tx.end(outcome).await
}

fn read(row: &Row) -> Result<Client, Error> {
    let secret: Option<Vec<u8>> = row.try_get("secret_digest")?;
    let scope: Vec<String> = row.try_get("scope")?;
    Ok(Client {
        id: row.try_get("id")?,
        secret: secret.as_deref().and_then(Digest::from_bytes),
        name: row.try_get("name")?,
        grant_types: row.try_get("grant_types")?,
        redirect_uris: row.try_get("redirect_uris")?,
        scope: Scopes::stored(&scope),
        auth_method: row.try_get("token_endpoint_auth_method")?,
        created_at: row.try_get("created_at")?,
        allowed_origins: row.try_get("allowed_origins")?,
    })
}
