//! `/tenants/{slug}/…`: a tenant named by the path.
//!
//! The prefix is taken off before the router looks and put before the addresses that are answered,
//! so that every route works with it and none knows of it. Words that follow `/tenants/` in the API
//! itself are no slugs and stay. `docker/nginx/api.conf` lets the same through.

use axum::extract::Request;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header, uri::PathAndQuery};

/// What follows `/tenants/` in the API itself. All of these are reserved slugs.
const OWN: &[&str] = &[
    "register",
    "list",
    "plans",
    "info",
    "users",
    "invitations",
    "stats",
    "settings",
    "audit",
];

/// The tenant that the path named, as it stood there.
#[derive(Clone, Debug)]
pub(crate) struct NamedByPath(pub(crate) String);

/// Headers of an answer that hold an address, or several.
static LINKS: [HeaderName; 3] = [header::LOCATION, header::CONTENT_LOCATION, header::LINK];

/// Takes the prefix off a request, and names its tenant there; the prefix, if there was one.
pub(crate) fn take_off(request: &mut Request) -> Option<String> {
    let (slug, rest) = split(request.uri())?;
    *request.uri_mut() = rest;
    let prefix = format!("/tenants/{slug}");
    request.extensions_mut().insert(NamedByPath(slug));
    Some(prefix)
}

/// Lets the addresses of an answer lead to where the request came from.
pub(crate) fn keep(headers: &mut HeaderMap, prefix: &str) {
    for name in &LINKS {
        let header::Entry::Occupied(mut links) = headers.entry(name) else {
            continue;
        };
        for value in links.iter_mut() {
            let kept = value.to_str().ok().map(|text| match *name == header::LINK {
                true => text.replace("</", &format!("<{prefix}/")),
                false => prefixed(text, prefix),
            });
            if let Some(Ok(kept)) = kept.map(|text| HeaderValue::from_str(&text)) {
                *value = kept;
            }
        }
    }
}

/// An address on this host keeps the prefix; one elsewhere (`//host`, `https://host`) is left, and
/// so is one that names its tenant.
fn prefixed(address: &str, prefix: &str) -> String {
    let names_a_tenant = || address.parse().is_ok_and(|uri: Uri| split(&uri).is_some());
    if address.starts_with('/') && !address.starts_with("//") && !names_a_tenant() {
        format!("{prefix}{address}")
    } else {
        address.to_owned()
    }
}

fn split(uri: &Uri) -> Option<(String, Uri)> {
    let after = uri.path().strip_prefix("/tenants/")?;
    let (slug, rest) = after.split_once('/')?;
    if slug.is_empty() || OWN.contains(&slug) {
        return None;
    }
    let target = match uri.query() {
        Some(query) => format!("/{rest}?{query}"),
        None => format!("/{rest}"),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target.parse::<PathAndQuery>().ok()?);
    Some((slug.to_owned(), Uri::from_parts(parts).ok()?))
}

#[cfg(test)]
mod tests {
    use tenancy::names::RESERVED;

    use super::*;

    fn cut(path: &str) -> Option<(String, String)> {
        split(&path.parse().unwrap()).map(|(slug, uri)| (slug, uri.to_string()))
    }

    #[test]
    fn only_a_prefix_with_something_behind_is_taken_off() {
        let named = |slug: &str, rest: &str| Some((slug.to_owned(), rest.to_owned()));
        assert_eq!(
            cut("/tenants/acme/api/notes?limit=2"),
            named("acme", "/api/notes?limit=2")
        );
        assert_eq!(cut("/tenants/acme/"), named("acme", "/"));
        assert_eq!(
            cut("/tenants/acme/tenants/info"),
            named("acme", "/tenants/info")
        );
        assert_eq!(cut("/tenants/ACME/api/ping"), named("ACME", "/api/ping"));
        for whole in [
            "/tenants",
            "/tenants/acme",
            "/tenants//x",
            "/tenants/users/1",
            "/api/ping",
        ] {
            assert_eq!(cut(whole), None, "{whole}");
        }
    }

    #[test]
    fn addresses_of_this_host_keep_the_prefix() {
        let mut headers = HeaderMap::new();
        let mut kept = |name: &HeaderName, value: &'static str| {
            headers.insert(name, HeaderValue::from_static(value));
            keep(&mut headers, "/tenants/acme");
            headers.remove(name).unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(
            kept(&header::LOCATION, "/api/notes/1"),
            "/tenants/acme/api/notes/1"
        );
        let next = "</api/notes?cursor=x>; rel=\"next\", <https://a.example/>; rel=\"help\"";
        let expected = next.replace("</api", "</tenants/acme/api");
        assert_eq!(kept(&header::LINK, next), expected);
        for elsewhere in [
            "https://app.example/cb?code=x",
            "//app.example/",
            "com.example:/cb",
            "?x",
        ] {
            assert_eq!(kept(&header::LOCATION, elsewhere), elsewhere);
        }
    }

    #[test]
    fn words_of_the_api_cannot_be_slugs() {
        assert!(OWN.iter().all(|word| RESERVED.contains(word)));
    }
}
