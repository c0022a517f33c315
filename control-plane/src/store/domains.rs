//! Domains that tenants claimed.

use serde::Serialize;
use tenancy::Slug;
use time::OffsetDateTime;
use tokio_postgres::Row;
use utoipa::ToSchema;

use super::Store;
use crate::error::Error;

tenancy::statements! {
    DOMAINS = "SELECT d.hostname, d.verified_at FROM platform.domains d \
        JOIN platform.tenants t ON t.id = d.tenant_id \
        WHERE t.slug = $1 AND t.status <> 'purged' ORDER BY d.hostname";
}

/// A domain that a tenant claimed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Domain {
    /// The host name.
    pub hostname: String,
    /// When it was proven to be the tenant's; `null`: not yet, and not served.
    #[serde(with = "time::serde::rfc3339::option")]
    pub verified_at: Option<OffsetDateTime>,
}

impl Store {
    /// The domains that a tenant claimed.
    pub(crate) async fn domains(&self, slug: &Slug) -> Result<Vec<Domain>, Error> {
        let rows = self.query(DOMAINS, &[&slug.as_str()]).await?;
        let read = |row: &Row| {
            Ok(Domain {
                hostname: row.try_get(0)?,
                verified_at: row.try_get(1)?,
            })
        };
        rows.iter().map(read).collect()
    }
}
