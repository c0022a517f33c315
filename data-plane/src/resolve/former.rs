//! Requests that name a tenant by a slug it gave up: sent on to where it is now.
//!
//! What stands in the URL is put right there: another host, another prefix. A header cannot be put
//! right by a redirect, so such a request is sent on to the path prefix, on the host it came to.
//! Whoever follows may still send the old header, which is no fault once anything else names the
//! tenant as it is called now.

use http::{HeaderValue, header, request::Parts};
use service::{Kind, Problem, settings::Addresses};
use tenancy::{Slug, Tenant, registry::Name};

use super::names::Named;

/// Lets a request pass that names the tenant as it is called now.
///
/// # Errors
/// 308 `tenant-renamed` with the place to go to: method, path and query stay.
pub(super) fn redirect(
    names: &[Named],
    tenant: &Tenant,
    parts: &Parts,
    addresses: &Addresses,
) -> Result<(), Problem> {
    let former = |named: &Named| slug(named).is_some_and(|slug| *slug != tenant.slug);
    let host = |named: &Named| matches!(named, Named::Host(_));
    let path = |named: &Named| matches!(named, Named::Path(_));
    let wrong_url = names
        .iter()
        .any(|named| former(named) && (host(named) || path(named)));
    if !wrong_url && !names.iter().all(former) {
        return Ok(());
    }
    let origin = if names.iter().any(|named| host(named) && former(named)) {
        addresses.api_of(&addresses.subdomain(tenant.slug.as_str()))
    } else {
        String::new()
    };
    let prefix = if origin.is_empty() || names.iter().any(path) {
        format!("/tenants/{}", tenant.slug)
    } else {
        String::new()
    };
    let rest = parts.uri.path_and_query().map_or("/", |rest| rest.as_str());
    Err(renamed(&tenant.slug, &format!("{origin}{prefix}{rest}")))
}

/// The slug that a name is, if it is one.
fn slug(named: &Named) -> Option<&Slug> {
    match named {
        Named::Header(slug) | Named::Path(slug) | Named::Host(Name::Slug(slug)) => Some(slug),
        Named::Id(_) | Named::Host(Name::Host(_)) => None,
    }
}

/// Not to be kept, since the slug may become another's when its time is over.
fn renamed(now: &Slug, place: &str) -> Problem {
    let problem = Problem::new(Kind::TenantRenamed)
        .detail(format!("The tenant's slug is {now} now."))
        .fact("tenant_slug", now.as_str())
        .header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match HeaderValue::from_bytes(place.as_bytes()) {
        Ok(place) => problem.header(header::LOCATION, place),
        Err(_) => problem,
    }
}
