//! Slugs that a rename gave up. While the row is there the slug is nobody else's (a trigger sees to
//! that, whoever asks) and leads to the tenant; one whose time is over goes to whoever asks first.

use tenancy::Slug;
use time::OffsetDateTime;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{Store, tx::Tx};
use crate::error::Error;

tenancy::statements! {
    HOLD = "INSERT INTO platform.former_slugs (slug, tenant_id, held_until) VALUES ($1, $2, $3) \
        ON CONFLICT (slug) DO UPDATE SET tenant_id = EXCLUDED.tenant_id, \
        held_until = EXCLUDED.held_until";
    RELEASE = "DELETE FROM platform.former_slugs \
        WHERE slug = $1 AND (held_until <= $2 OR tenant_id = $3)";
    RELEASE_ALL = "DELETE FROM platform.former_slugs WHERE tenant_id = $1";
    NOW_CALLED = "SELECT t.slug FROM platform.former_slugs f \
        JOIN platform.tenants t ON t.id = f.tenant_id WHERE f.slug = $1 AND t.status <> 'purged'";
    SWEEP = "WITH released AS (DELETE FROM platform.former_slugs WHERE held_until <= $1 \
            RETURNING slug, tenant_id) \
        INSERT INTO platform.events (at, tenant_id, actor, action, detail) \
        SELECT $1, tenant_id, $2, 'slug.released', jsonb_build_object('slug', slug) FROM released";
}

impl Store {
    /// Why there is no tenant of a slug: it has another one by now, or there is none.
    pub(crate) async fn no_tenant(&self, slug: &Slug) -> Error {
        let found = self.query(NOW_CALLED, &[&slug.as_str()]).await;
        found.map_or_else(Error::from, |rows| unknown(slug, &rows))
    }

    /// Lets go of slugs whose time is over, and records each.
    pub(crate) async fn sweep_former_slugs(
        &self,
        now: OffsetDateTime,
        actor: &str,
    ) -> Result<u64, Error> {
        Ok(self.execute(SWEEP, &[&now, &actor]).await?)
    }
}

/// The same within a transaction.
pub(super) async fn no_tenant(tx: &Tx, slug: &Slug) -> Error {
    let found = tx.query(NOW_CALLED, &[&slug.as_str()]).await;
    found.map_or_else(Error::from, |rows| unknown(slug, &rows))
}

fn unknown(slug: &Slug, rows: &[Row]) -> Error {
    let now = rows.first().and_then(|row| row.try_get(0).ok());
    let slug = slug.to_string();
    match now {
        Some(now) => Error::Renamed { slug, now },
        None => Error::NoTenant(slug),
    }
}

/// Holds a slug for the tenant that gives it up.
pub(super) async fn hold(
    tx: &Tx,
    tenant: Uuid,
    slug: &Slug,
    until: OffsetDateTime,
) -> Result<u64, Error> {
    Ok(tx.execute(HOLD, &[&slug.as_str(), &tenant, &until]).await?)
}

/// Makes way for a tenant that takes a slug: its own, or one whose time is over.
pub(super) async fn release(
    tx: &Tx,
    tenant: Uuid,
    slug: &Slug,
    now: OffsetDateTime,
) -> Result<u64, Error> {
    Ok(tx
        .execute(RELEASE, &[&slug.as_str(), &now, &tenant])
        .await?)
}

/// Lets go of all that a tenant gave up.
pub(super) async fn release_all(tx: &Tx, tenant: Uuid) -> Result<u64, Error> {
    Ok(tx.execute(RELEASE_ALL, &[&tenant]).await?)
}
