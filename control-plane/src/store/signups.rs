//! A sign-up: one transaction, two round trips.
//!
//! The first reserves the idempotency key, the slug and a role, and looks whether the domain is
//! proven for somebody; a claim of it keeps nobody out. The second makes the schema with
//! all its tables, the owner, the domain and the record of it, and commits. Whatever fails or
//! dies in between leaves nothing.

use futures_util::future::join5;
use serde_json::Value;
use service::Digest;
use tenancy::{Hostname, RoleName, SchemaName, Slug, TenantId, db::Error as DbError, migrations};
use time::{Duration, OffsetDateTime};
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::{Store, roles, tx::Tx};
use crate::error::Error;

tenancy::statements! {
    RESERVE_KEY = "INSERT INTO platform.idempotency_keys \
        (key_digest, request_digest, response, created_at, password_hash) \
        VALUES ($1, $2, $3::text::jsonb, $4, $5) \
        ON CONFLICT (key_digest) DO NOTHING";
    FIND_KEY = "SELECT request_digest, response::text, password_hash FROM platform.idempotency_keys \
        WHERE key_digest = $1";
    // The plan's row is shared until the end: it is neither closed nor removed meanwhile.
    RESERVE_TENANT = "WITH plan AS ( \
            SELECT name FROM platform.plans WHERE name = $5::text AND (self_serve OR $8::bool) \
            FOR SHARE \
        ), spare AS ( \
            SELECT name FROM platform.tenant_roles WHERE tenant_id IS NULL \
            ORDER BY name LIMIT 1 FOR UPDATE SKIP LOCKED \
        ), made AS ( \
            INSERT INTO platform.tenants (id, slug, name, schema_name, role_name, plan, status, \
                schema_version, created_at) \
            SELECT $1::uuid, $2::text, $3::text, $4::text, spare.name, plan.name, 'active', \
                $6::int, $7::timestamptz FROM plan, spare \
            RETURNING role_name \
        ), taken AS ( \
            UPDATE platform.tenant_roles SET tenant_id = $1 FROM made \
            WHERE name = made.role_name RETURNING name \
        ) \
        SELECT EXISTS (SELECT FROM plan) AS has_plan, (SELECT name FROM taken) AS role_name";
    RELEASE_SLUG = "DELETE FROM platform.former_slugs WHERE slug = $1 AND held_until <= $2";
    DOMAIN_PROVEN = "SELECT FROM platform.domains WHERE hostname = $1 AND verified_at IS NOT NULL";
    CLAIM_DOMAIN = "INSERT INTO platform.domains (hostname, tenant_id, created_at) \
        SELECT $1::text, $2::uuid, $3::timestamptz WHERE $1::text IS NOT NULL";
    RECORD = "INSERT INTO platform.events (at, tenant_id, actor, action, detail) \
        VALUES ($1, $2, $3, 'tenant.created', \
        jsonb_strip_nulls(jsonb_build_object('domain', $4::text)))";
    SWEEP_KEYS = "DELETE FROM platform.idempotency_keys WHERE created_at < $1";
}

/// The owner goes into a table that was made a moment before in the same flight, so the
/// statement cannot be prepared ahead.
const OWNER: &str = "WITH owner AS (INSERT INTO users \
    (id, username, email, password_hash, role, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, 'owner', $5, $5) RETURNING id) \
    INSERT INTO sessions (digest, user_id, created_at, expires_at) \
    SELECT $6, id, $5, $7 FROM owner WHERE $6 IS NOT NULL";

/// How long a sign-in code may be used.
const CODE_LIFETIME: Duration = Duration::seconds(60);

/// How long a key is remembered.
const REMEMBERED: Duration = Duration::hours(24);

/// An idempotency key, and the request it came with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) key: Digest,
    pub(crate) request: Digest,
}

/// Everything that a sign-up writes.
pub(crate) struct NewTenant {
    pub(crate) id: TenantId,
    pub(crate) slug: Slug,
    pub(crate) name: String,
    pub(crate) plan: String,
    /// Whether it may be one that is not open to strangers.
    pub(crate) any_plan: bool,
    pub(crate) domain: Option<Hostname>,
    pub(crate) owner: Owner,
    pub(crate) actor: String,
    pub(crate) now: OffsetDateTime,
    pub(crate) key: Option<Key>,
    /// What is answered now, and again to the same key.
    pub(crate) response: Value,
}

/// The first user of a tenant.
pub(crate) struct Owner {
    pub(crate) id: Uuid,
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) password_hash: String,
    /// The digest of a code that signs them in once, if one was asked for.
    pub(crate) sign_in_code: Option<Digest>,
}

/// What became of a sign-up.
pub(crate) enum Outcome {
    /// The tenant serves.
    Made,
    /// The key came before, and its request was answered.
    KeyInUse(EarlierSignUp),
}

/// A sign-up that a key came with before.
pub(crate) struct EarlierSignUp {
    /// Whether it asked for the same, the password aside.
    pub(crate) is_same_request: bool,
    /// The hash of its password; `None` when an earlier version of the product took it.
    pub(crate) password_hash: Option<String>,
    /// What it was answered.
    pub(crate) response: Value,
}

enum Reserved {
    Role(RoleName),
    NoSpareRole,
    KeyInUse,
}

impl Store {
    /// Makes a tenant.
    pub(crate) async fn sign_up(&self, new: &NewTenant) -> Result<Outcome, Error> {
        loop {
            let tx = self.begin().await?;
            match self.reserve(&tx, new).await {
                Ok(Reserved::Role(role)) => {
                    complete(tx, new, &role).await?;
                    return Ok(Outcome::Made);
                }
                Ok(Reserved::NoSpareRole) => {
                    tx.roll_back().await?;
                    self.make_roles(roles::BATCH_IN_NEED).await?;
                }
                Ok(Reserved::KeyInUse) => {
                    tx.roll_back().await?;
                    // None when it was forgotten just now, and then it is free.
                    if let Some(key) = &new.key
                        && let Some(earlier) = self.earlier_sign_up(key).await?
                    {
                        return Ok(Outcome::KeyInUse(earlier));
                    }
                }
                Err(error) => return tx.end(Err(error)).await,
            }
        }
    }

    /// The sign-up that a key came with before; `None` when the key is free.
    pub(crate) async fn earlier_sign_up(&self, key: &Key) -> Result<Option<EarlierSignUp>, Error> {
        let rows = self.query(FIND_KEY, &[&key.key.as_bytes()]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let (request, response): (Vec<u8>, String) = (row.try_get(0)?, row.try_get(1)?);
        Ok(Some(EarlierSignUp {
            is_same_request: Digest::from_bytes(&request) == Some(key.request),
            password_hash: row.try_get(2)?,
            response: serde_json::from_str(&response).map_err(DbError::unreadable)?,
        }))
    }

    /// Forgets idempotency keys that are older than a day.
    pub(crate) async fn sweep_keys(&self, now: OffsetDateTime) -> Result<u64, Error> {
        Ok(self.execute(SWEEP_KEYS, &[&(now - REMEMBERED)]).await?)
    }

    /// The first round trip.
    async fn reserve(&self, tx: &Tx, new: &NewTenant) -> Result<Reserved, Error> {
        let (key, release) = (
            tx.prepare(RESERVE_KEY).await?,
            tx.prepare(RELEASE_SLUG).await?,
        );
        let (tenant, proven) = (
            tx.prepare(RESERVE_TENANT).await?,
            tx.prepare(DOMAIN_PROVEN).await?,
        );
        let client = tx.client();
        let (response, hash) = (new.response.to_string(), &new.owner.password_hash);
        let reserve_key = async {
            match &new.key {
                Some(Key {
                    key: digest,
                    request,
                }) => {
                    let (digest, request) = (digest.as_bytes(), request.as_bytes());
                    client
                        .execute(&key, &[&digest, &request, &response, &new.now, hash])
                        .await
                }
                None => Ok(1),
            }
        };
        let schema = SchemaName::of(&new.slug);
        let (slug, schema, version) = (new.slug.as_str(), schema.as_str(), migrations::latest());
        let params: [&(dyn ToSql + Sync); 8] = [
            new.id.as_uuid(),
            &slug,
            &new.name,
            &schema,
            &new.plan,
            &version,
            &new.now,
            &new.any_plan,
        ];
        let released: [&(dyn ToSql + Sync); 2] = [&slug, &new.now];
        let hostname = new.domain.as_ref().map(Hostname::as_str);
        let hostname: [&(dyn ToSql + Sync); 1] = [&hostname];
        let (begun, key, released, tenant, proven) = join5(
            client.batch_execute("BEGIN"),
            reserve_key,
            client.execute(&release, &released),
            client.query_one(&tenant, &params),
            client.query(&proven, &hostname),
        )
        .await;
        begun?;
        if key? == 0 {
            return Ok(Reserved::KeyInUse);
        }
        released?;
        let row = tenant.map_err(taken)?;
        if !proven?.is_empty() {
            return Err(Error::Taken { field: "domain" });
        }
        let (has_plan, role): (bool, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
        match role {
            _ if !has_plan => Err(Error::NoPlan(new.plan.clone())),
            None => Ok(Reserved::NoSpareRole),
            Some(role) => Ok(Reserved::Role(role.parse().map_err(DbError::unreadable)?)),
        }
    }
}

/// The second round trip, which commits.
async fn complete(tx: Tx, new: &NewTenant, role: &RoleName) -> Result<(), Error> {
    let (domain, record) = (tx.prepare(CLAIM_DOMAIN).await?, tx.prepare(RECORD).await?);
    let creation = migrations::creation(&SchemaName::of(&new.slug), role, new.now);
    let client = tx.client();
    let Owner {
        id,
        username,
        email,
        password_hash,
        sign_in_code,
    } = &new.owner;
    let code = sign_in_code.as_ref().map(Digest::as_bytes);
    let code_expires = new.now + CODE_LIFETIME;
    let owner: [(&(dyn ToSql + Sync), Type); 7] = [
        (id, Type::UUID),
        (username, Type::TEXT),
        (email, Type::TEXT),
        (password_hash, Type::TEXT),
        (&new.now, Type::TIMESTAMPTZ),
        (&code, Type::BYTEA),
        (&code_expires, Type::TIMESTAMPTZ),
    ];
    let hostname = new.domain.as_ref().map(Hostname::as_str);
    let claim: [&(dyn ToSql + Sync); 3] = [&hostname, new.id.as_uuid(), &new.now];
    let event: [&(dyn ToSql + Sync); 4] = [&new.now, new.id.as_uuid(), &new.actor, &hostname];
    let (created, owner, domain, recorded, committed) = join5(
        client.batch_execute(&creation),
        client.query_typed(OWNER, &owner),
        client.execute(&domain, &claim),
        client.execute(&record, &event),
        client.batch_execute("COMMIT"),
    )
    .await;
    committed?;
    tx.ended();
    created.map_err(taken)?;
    owner?;
    domain?;
    recorded?;
    Ok(())
}

fn taken(error: tokio_postgres::Error) -> Error {
    match super::taken(error.into()) {
        Error::Taken { field: "slug" } => Error::Taken {
            field: "tenant_slug",
        },
        other => other,
    }
}
