//! The tenant of a request, found and fit to be served.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use service::{Kind, Problem, answers::Recipient, request::ClientNetwork};
use tenancy::{Status, Tenant, TenantDb, registry::Name};

use super::{
    former,
    names::{self, Named},
};
use crate::{
    app::App,
    caller::{identify, network_of},
    error::Error,
};

/// A tenant that is served, and the door to its schema. To extract it is to check that the request
/// names exactly one active tenant, and that whoever asks is within their rate; a second extractor
/// of the same request gets what the first found, and counts nothing.
#[derive(Clone)]
pub(crate) struct InTenant {
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) db: TenantDb,
}

/// The same of a request that is not counted yet: for endpoints that learn from the body who asks.
pub(crate) struct Uncounted {
    found: InTenant,
    from: ClientNetwork,
}

impl FromRequestParts<App> for InTenant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if let Some(found) = parts.extensions.get::<Self>() {
            return Ok(found.clone());
        }
        let (names, found) = find(parts, app).await?;
        identify(parts, app, &found.db).await?;
        former::redirect(&names, &found.tenant, parts, &app.addresses)?;
        parts.extensions.insert(found.clone());
        Ok(found)
    }
}

impl FromRequestParts<App> for Uncounted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let (names, found) = find(parts, app).await?;
        former::redirect(&names, &found.tenant, parts, &app.addresses)?;
        let from = network_of(parts);
        Ok(Self { found, from })
    }
}

impl Uncounted {
    /// The door to the tenant's schema: for finding out who asks.
    pub(crate) fn db(&self) -> &TenantDb {
        &self.found.db
    }

    /// Counts a look-up in the database of who asks.
    pub(crate) fn look_up(&self, app: &App) -> Result<(), Problem> {
        app.rates.look_up(&self.found.tenant, self.from)
    }

    /// Passes on what a request asks for. One that cannot be read is a stranger's, and counted so.
    ///
    /// # Errors
    /// Why it could not be read; 429 when strangers have used up their rate.
    pub(crate) fn read<T, E: From<Problem>>(
        &self,
        app: &App,
        request: Result<T, E>,
    ) -> Result<T, E> {
        if request.is_err() {
            app.rates.stranger(&self.found.tenant, self.from)?;
        }
        request
    }

    /// Counts the request of somebody who proved who they are, or did not.
    ///
    /// # Errors
    /// 429.
    pub(crate) fn count(self, app: &App, known: bool) -> Result<InTenant, Problem> {
        if known {
            app.rates.known(&self.found.tenant)?;
        } else {
            app.rates.stranger(&self.found.tenant, self.from)?;
        }
        Ok(self.found)
    }
}

async fn find(parts: &Parts, app: &App) -> Result<(Vec<Named>, InTenant), Problem> {
    let names = names::all(parts, &app.hosts)?;
    let tenant = agreed(&names, app).await?;
    served(&tenant)?;
    if let Some(recipient) = parts.extensions.get::<Recipient>() {
        recipient.set(tenant.id.as_uuid().as_u128());
    }
    let db = app.lanes.open(Arc::clone(&tenant));
    Ok((names, InTenant { tenant, db }))
}

/// The one tenant that a request names, whether or not it is served.
///
/// # Errors
/// 400 when it names none or two, 404 when one is nobody's.
pub(crate) async fn resolve(parts: &Parts, app: &App) -> Result<Arc<Tenant>, Problem> {
    agreed(&names::all(parts, &app.hosts)?, app).await
}

/// The tenant that all the names are of.
async fn agreed(names: &[Named], app: &App) -> Result<Arc<Tenant>, Problem> {
    let mut agreed: Option<Arc<Tenant>> = None;
    for named in names {
        let tenant = look_up(named, app).await?.ok_or_else(names::not_found)?;
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

async fn look_up(named: &Named, app: &App) -> Result<Option<Arc<Tenant>>, Problem> {
    let found = match named {
        Named::Id(id) => app.registry.by_id(*id).await,
        Named::Header(slug) | Named::Path(slug) => {
            app.registry.by_name(&Name::Slug(slug.clone())).await
        }
        Named::Host(name) => app.registry.by_name(name).await,
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

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body};
    use http::{Request, StatusCode};
    use service::{Clock, Entropy, password::Hasher, settings::defaults};
    use testkit::database::{TestDatabase, connect};
    use tower::ServiceExt as _;

    use super::*;

    /// A tenant with a plan of one request a second.
    const SLOW: &str = "UPDATE platform.plans SET requests_per_second = 1 WHERE name = 'free'; \
        INSERT INTO platform.tenants (id, slug, name, schema_name, role_name, plan, status, \
            schema_version, created_at) \
        VALUES (gen_random_uuid(), 'acme', 'Acme', 'tenant_acme', 'tenant_1_1', 'free', 'active', \
            1, now()); \
        INSERT INTO platform.tenant_roles (name, lane) VALUES ('tenant_1_1', 0)";

    #[tokio::test]
    async fn two_extractors_of_one_request_count_once() {
        let database = TestDatabase::create().await.unwrap();
        let admin = connect(&database.admin()).await.unwrap();
        admin.batch_execute(SLOW).await.unwrap();
        let (clock, entropy) = (Clock::system(), Entropy::seeded(1));
        let hasher = Hasher::new(entropy.clone()).unwrap();
        let (data, addresses) = (database.data(), defaults());
        let app = App::new(&defaults(), &addresses, &data, hasher, clock, entropy).unwrap();
        let twice = async |_: InTenant, _: InTenant| {};
        let router = Router::new().fallback(twice).with_state(app);
        let request = Request::get("/").header("x-tenant-slug", "acme");
        let answer = router.oneshot(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.unwrap().status(), StatusCode::OK);
    }
}
