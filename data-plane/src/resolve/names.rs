//! What a request says about its tenant, from its head alone.

use http::{HeaderMap, HeaderName, header, request::Parts, uri::Authority};
use service::{
    Kind, Problem,
    hosts::{Host, HostRole, PlatformHosts},
};
use tenancy::{Slug, TenantId, registry::Name};

use crate::path_prefix::NamedByPath;

static X_TENANT_SLUG: HeaderName = HeaderName::from_static("x-tenant-slug");
static X_TENANT_ID: HeaderName = HeaderName::from_static("x-tenant-id");

/// One name of a tenant, and where it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// In the header `X-Tenant-ID`.
    Id(TenantId),
    /// In the header `X-Tenant-Slug`.
    Header(Slug),
    /// In the path's prefix.
    Path(Slug),
    /// In the host, as a subdomain or a domain.
    Host(Name),
}

/// All names that a request gives of its tenant.
///
/// # Errors
/// 404 for what can be no tenant's name, 400 when the request cannot be read.
pub(crate) fn all(parts: &Parts, hosts: &PlatformHosts) -> Result<Vec<Named>, Problem> {
    let mut names = Vec::with_capacity(2);
    for text in values(&parts.headers, &X_TENANT_SLUG) {
        names.push(Named::Header(slug(text?)?));
    }
    for text in values(&parts.headers, &X_TENANT_ID) {
        names.push(Named::Id(text?.parse().map_err(|_| not_found())?));
    }
    if let Some(NamedByPath(text)) = parts.extensions.get() {
        names.push(Named::Path(slug(text)?));
    }
    if let Some(host) = host_of(parts)?
        && let Some(name) = by_host(host, hosts)?
    {
        names.push(Named::Host(name));
    }
    names.dedup();
    Ok(names)
}

/// The `Host` that a request was sent to, port included.
///
/// # Errors
/// 400 when there are two, which is how requests are smuggled.
pub(crate) fn host_of(parts: &Parts) -> Result<Option<&str>, Problem> {
    let mut hosts = values(&parts.headers, &header::HOST);
    let host = hosts.next().transpose()?;
    if hosts.next().is_some() {
        return Err(unreadable("more than one Host header"));
    }
    // RFC 9112 section 3.2.2: an absolute target overrules the header.
    Ok(parts.uri.authority().map(Authority::as_str).or(host))
}

fn slug(text: &str) -> Result<Slug, Problem> {
    text.to_ascii_lowercase().parse().map_err(|_| not_found())
}

/// The tenant that a host names; `None` for the platform's own hosts.
fn by_host(authority: &str, hosts: &PlatformHosts) -> Result<Option<Name>, Problem> {
    let host = Host::of_authority(authority).map_err(|_| not_found())?;
    let name = match hosts.role(&host) {
        HostRole::Platform => return Ok(None),
        HostRole::Subdomain(label) => label.parse().map(Name::Slug),
        HostRole::Other(name) => name.parse().map(Name::Host),
    };
    name.map(Some).map_err(|_| not_found())
}

fn values<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = Result<&'a str, Problem>> {
    let read = |value: &'a http::HeaderValue| value.to_str().map_err(|_| unreadable(name.as_str()));
    headers.get_all(name).iter().map(read)
}

fn unreadable(what: &str) -> Problem {
    Problem::new(Kind::MalformedRequest).detail(format!("The request head: {what}."))
}

pub(crate) fn not_found() -> Problem {
    Problem::new(Kind::TenantNotFound)
}

#[cfg(test)]
mod tests {
    use http::Request;
    use service::settings::Addresses;

    use super::*;

    fn names(uri: &str, headers: &[(&str, &str)]) -> Result<Vec<Named>, Kind> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        all(&parts, &PlatformHosts::new(&Addresses::default())).map_err(|problem| problem.kind())
    }

    fn host(slug: &str) -> Named {
        Named::Host(Name::Slug(slug.parse().unwrap()))
    }

    fn header(slug: &str) -> Named {
        Named::Header(slug.parse().unwrap())
    }

    #[test]
    fn the_platforms_own_hosts_and_addresses_name_no_tenant() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "localhost.",
            "127.0.0.1:8080",
            "127.1",
            "[::1]:8080",
        ] {
            assert_eq!(names("/", &[("host", host)]), Ok(vec![]), "{host}");
        }
        assert_eq!(names("/", &[]), Ok(vec![]));
    }

    #[test]
    fn a_host_is_read_without_port_case_and_trailing_dot() {
        for host in [
            "acme.localhost",
            "ACME.localhost:8080",
            "acme.localhost.",
            "Acme.LocalHost.:1",
        ] {
            assert_eq!(
                names("/", &[("host", host)]),
                Ok(vec![self::host("acme")]),
                "{host}"
            );
        }
        let custom = Named::Host(Name::Host("xn--bcher-kva.example".parse().unwrap()));
        assert_eq!(
            names("/", &[("host", "XN--BCHER-KVA.example:80")]),
            Ok(vec![custom])
        );
    }

    #[test]
    fn hosts_that_can_be_nobodys_are_not_found() {
        for host in [
            "a.b.localhost",
            "ab.localhost",
            "a_b.localhost",
            "-a.localhost",
            "acme..localhost",
            "acme@localhost",
            "999.1.1.1",
        ] {
            assert_eq!(
                names("/", &[("host", host)]),
                Err(Kind::TenantNotFound),
                "{host}"
            );
        }
    }

    #[test]
    fn an_absolute_target_overrules_the_host() {
        let found = names("http://globex.localhost/x", &[("host", "acme.localhost")]);
        assert_eq!(found, Ok(vec![host("globex")]));
    }

    #[test]
    fn every_name_counts() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let found = names(
            "/",
            &[
                ("host", "acme.localhost"),
                ("x-tenant-slug", "globex"),
                ("x-tenant-id", id),
            ],
        );
        assert_eq!(
            found,
            Ok(vec![
                header("globex"),
                Named::Id(id.parse().unwrap()),
                host("acme")
            ])
        );
        let twice = names(
            "/",
            &[("x-tenant-slug", "acme"), ("x-tenant-slug", "globex")],
        );
        assert_eq!(twice, Ok(vec![header("acme"), header("globex")]));
    }

    #[test]
    fn heads_that_cannot_be_read_are_refused() {
        let two = [("host", "acme.localhost"), ("host", "globex.localhost")];
        assert_eq!(names("/", &two), Err(Kind::MalformedRequest));
        assert_eq!(
            names("/", &[("x-tenant-slug", "acmé")]),
            Err(Kind::MalformedRequest)
        );
        assert_eq!(
            names("/", &[("x-tenant-id", "1")]),
            Err(Kind::TenantNotFound)
        );
        assert_eq!(
            names("/", &[("x-tenant-slug", "a\"; DROP")]),
            Err(Kind::TenantNotFound)
        );
        assert_eq!(
            names("/", &[("x-tenant-slug", "")]),
            Err(Kind::TenantNotFound)
        );
    }
}
