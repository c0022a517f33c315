//! The tenant of a request, found and fit to be served.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use service::{Kind, Problem};
use tenancy::{Status, Tenant, TenantDb};

use super::names::{self, Named};
use crate::{app::App, error::Error};

/// A tenant that is served, and the door to its schema. TokenExchange for one is the check that the
/// request names exactly one active tenant within its rate.
#[derive(Clone)]
pub(crate) struct InTenant {
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) db: TenantDb,
}

impl FromRequestParts<App> for InTenant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        // A request has one tenant, counted once, however many extractors ask for it.
        if let Some(found) = parts.extensions.get::<Self>() {
            return Ok(found.clone());
        }
        let tenant = resolve(parts, app).await?;
        served(&tenant)?;
        app.rates.request(&tenant)?;
        let db = app.lanes.open(Arc::clone(&tenant));
        let found = Self { tenant, db };
        parts.extensions.insert(found.clone());
        Ok(found)
    }
}

async fn resolve(parts: &Parts, app: &App) -> Result<Arc<Tenant>, Problem> {
    let mut agreed: Option<Arc<Tenant>> = None;
    for named in names::all(parts, &app.hosts)? {
        let tenant = find(&named, app).await?.ok_or_else(names::not_found)?;
        if agreed.as_ref().is_some_and(|other| other.id != tenant.id) {
            return Err(Problem::new(Kind::TenantMismatch)
                .detail("Host, headers and path must name the same tenant."));
        }
        agreed = Some(tenant);
    }
    agreed.ok_or_else(|| {
        Problem::new(Kind::TenantRequired).detail(
            "Name one by subdomain, custom domain, header X-Tenant-Slug or X-Tenant-ID, or \
             path prefix /tenants/{slug}.",
        )
    })
}

async fn find(named: &Named, app: &App) -> Result<Option<Arc<Tenant>>, Problem> {
    let found = match named {
        Named::Id(id) => app.registry.by_id(*id).await,
        Named::By(name) => app.registry.by_name(name).await,
    };
    found.map_err(|cause| Error::from(cause).into())
}

fn served(tenant: &Tenant) -> Result<(), Problem> {
    match tenant.status {
        Status::Active => Ok(()),
        Status::Suspended => Err(Problem::new(Kind::TenantSuspended)),
        Status::Provisioning => Err(Problem::new(Kind::TenantNotReady).retry_after(2)),
        Status::Deleting | Status::Purged => Err(names::not_found()),
    }
}
