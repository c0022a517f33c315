//! Domains: claimed by any number of tenants for a while, verified for one.
//!
//! A claim keeps nobody else out. What decides is the unique index over verified domains, so that
//! of two who are verified at the same moment one gets the domain.

use serde::Serialize;
use tenancy::{Hostname, Slug, TenantId};
use time::{Duration, OffsetDateTime};
use tokio_postgres::Row;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Store, taken, tx::Tx};
use crate::error::Error;

/// How long a claim lasts: long enough for whoever looks after a zone to answer, and to add a
/// record that is then seen everywhere.
pub(crate) const CLAIM_LASTS: Duration = Duration::days(7);
/// Claims of one tenant at a time. A tenant proves its domains one by one, and each claim is a row
/// that a stranger's sign-up can cause.
pub(crate) const MAX_CLAIMS: i64 = 10;
/// Holders of one host that are listed.
const MAX_HOLDERS: i64 = 200;

tenancy::statements! {
    DOMAINS = "SELECT d.hostname, d.created_at, d.verified_at FROM platform.domains d \
        JOIN platform.tenants t ON t.id = d.tenant_id \
        WHERE t.slug = $1 AND t.status <> 'purged' \
        AND (d.verified_at IS NOT NULL OR d.created_at > $2) ORDER BY d.hostname";
    HOLDERS = "SELECT t.id, t.slug, t.name, t.status, d.created_at, d.verified_at \
        FROM platform.domains d JOIN platform.tenants t ON t.id = d.tenant_id \
        WHERE d.hostname = $1 AND (d.verified_at IS NOT NULL OR d.created_at > $2) \
        ORDER BY d.verified_at NULLS LAST, d.created_at, t.slug LIMIT $3";
    COUNT_CLAIMS = "SELECT count(*) FROM platform.domains WHERE tenant_id = $1 \
        AND hostname <> $2 AND verified_at IS NULL AND created_at > $3";
    CLAIM = "INSERT INTO platform.domains (hostname, tenant_id, created_at) \
        SELECT $1::text, $2::uuid, $3::timestamptz WHERE NOT EXISTS ( \
            SELECT FROM platform.domains WHERE hostname = $1 AND verified_at IS NOT NULL) \
        ON CONFLICT (hostname, tenant_id) DO UPDATE SET created_at = EXCLUDED.created_at";
    VERIFY = "UPDATE platform.domains SET verified_at = coalesce(verified_at, $3) \
        WHERE hostname = $1 AND tenant_id = $2 AND (verified_at IS NOT NULL OR created_at > $4)";
    REMOVE = "DELETE FROM platform.domains WHERE hostname = $1 AND tenant_id = $2";
    REMOVE_ALL = "DELETE FROM platform.domains WHERE tenant_id = $1";
    SWEEP = "WITH expired AS (DELETE FROM platform.domains \
            WHERE verified_at IS NULL AND created_at <= $1 RETURNING hostname, tenant_id) \
        INSERT INTO platform.events (at, tenant_id, actor, action, detail) \
        SELECT $2, tenant_id, $3, 'domain.expired', jsonb_build_object('domain', hostname) \
        FROM expired";
}

/// A domain of a tenant.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Domain {
    /// The host name.
    pub hostname: String,
    /// When it was claimed, most recently.
    #[serde(with = "time::serde::rfc3339")]
    pub claimed_at: OffsetDateTime,
    /// When it was proven to be the tenant's; `null`: not yet, and not served.
    #[serde(with = "time::serde::rfc3339::option")]
    pub verified_at: Option<OffsetDateTime>,
    /// When the claim ends unless it is verified; `null` once it is.
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
}

/// A tenant that claims a domain or has it verified.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Holder {
    /// The tenant's id.
    #[schema(value_type = String)]
    pub tenant_id: TenantId,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: String,
    /// When it claimed the domain, most recently.
    #[serde(with = "time::serde::rfc3339")]
    pub claimed_at: OffsetDateTime,
    /// When the domain was proven to be its own; `null`: not yet.
    #[serde(with = "time::serde::rfc3339::option")]
    pub verified_at: Option<OffsetDateTime>,
    /// When the claim ends unless it is verified; `null` once it is.
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
}

impl Store {
    /// A tenant's domains: the verified ones, and claims that have not run out.
    pub(crate) async fn domains(
        &self,
        slug: &Slug,
        now: OffsetDateTime,
    ) -> Result<Vec<Domain>, Error> {
        let since = now - CLAIM_LASTS;
        let rows = self.query(DOMAINS, &[&slug.as_str(), &since]).await?;
        let read = |row: &Row| {
            let (claimed_at, verified_at, expires_at) = times(row)?;
            Ok(Domain {
                hostname: row.try_get("hostname")?,
                claimed_at,
                verified_at,
                expires_at,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Who has a domain verified, if anybody, and then who claims it, the first claim first.
    pub(crate) async fn holders(
        &self,
        host: &Hostname,
        now: OffsetDateTime,
    ) -> Result<Vec<Holder>, Error> {
        let since = now - CLAIM_LASTS;
        let rows = self
            .query(HOLDERS, &[&host.as_str(), &since, &MAX_HOLDERS])
            .await?;
        let read = |row: &Row| {
            let (claimed_at, verified_at, expires_at) = times(row)?;
            Ok(Holder {
                tenant_id: TenantId::new(row.try_get("id")?),
                slug: row.try_get("slug")?,
                name: row.try_get("name")?,
                status: row.try_get("status")?,
                claimed_at,
                verified_at,
                expires_at,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Takes away claims that have run out, and records each.
    pub(crate) async fn sweep_claims(
        &self,
        now: OffsetDateTime,
        actor: &str,
    ) -> Result<u64, Error> {
        let until = now - CLAIM_LASTS;
        Ok(self.execute(SWEEP, &[&until, &now, &actor]).await?)
    }
}

/// Claims a domain for a tenant whose row is locked; a claim that is there already begins anew.
///
/// # Errors
/// `Taken` when it is verified, for this tenant or another; `Claims` beyond the limit.
pub(super) async fn claim(
    tx: &Tx,
    tenant: Uuid,
    host: &Hostname,
    now: OffsetDateTime,
) -> Result<u64, Error> {
    let (host, since) = (host.as_str(), now - CLAIM_LASTS);
    let rows = tx.query(COUNT_CLAIMS, &[&tenant, &host, &since]).await?;
    let used: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
    if used >= MAX_CLAIMS {
        return Err(Error::Claims { used });
    }
    match tx.execute(CLAIM, &[&host, &tenant, &now]).await? {
        0 => Err(Error::Taken { field: "domain" }),
        made => Ok(made),
    }
}

/// Makes a claimed domain the tenant's.
///
/// # Errors
/// `NoDomain` when it does not claim it, or no longer; `Taken` when it is another's.
pub(super) async fn verify(
    tx: &Tx,
    tenant: Uuid,
    host: &Hostname,
    now: OffsetDateTime,
) -> Result<u64, Error> {
    let since = now - CLAIM_LASTS;
    let found = tx
        .execute(VERIFY, &[&host.as_str(), &tenant, &now, &since])
        .await;
    require_found(found.map_err(taken)?, host)
}

/// Gives a domain or a claim up.
///
/// # Errors
/// `NoDomain`.
pub(super) async fn remove(tx: &Tx, tenant: Uuid, host: &Hostname) -> Result<u64, Error> {
    require_found(tx.execute(REMOVE, &[&host.as_str(), &tenant]).await?, host)
}

/// Gives up all that a tenant has.
pub(super) async fn remove_all(tx: &Tx, tenant: Uuid) -> Result<u64, Error> {
    Ok(tx.execute(REMOVE_ALL, &[&tenant]).await?)
}

fn require_found(found: u64, host: &Hostname) -> Result<u64, Error> {
    if found == 0 {
        return Err(Error::NoDomain(host.to_string()));
    }
    Ok(found)
}

type Times = (
    OffsetDateTime,
    Option<OffsetDateTime>,
    Option<OffsetDateTime>,
);

/// When it was claimed and verified, and when the claim ends.
fn times(row: &Row) -> Result<Times, tokio_postgres::Error> {
    let claimed: OffsetDateTime = row.try_get("created_at")?;
    let verified: Option<OffsetDateTime> = row.try_get("verified_at")?;
    let expires = verified.is_none().then(|| claimed + CLAIM_LASTS);
    Ok((claimed, verified, expires))
}
