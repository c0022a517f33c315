//! `/tenants/{slug}/…`: a tenant named by the path.
//!
//! The prefix is taken off before the router looks, so that every route works with it and none
//! knows of it. Words that follow `/tenants/` in the API itself are no slugs and stay.

use std::task::{Context, Poll};

use axum::{Router, extract::Request};
use http::{Uri, uri::PathAndQuery};
use tower::Service;

/// What follows `/tenants/` in the API itself. All of these are reserved slugs.
const OWN: &[&str] = &[
    "register",
    "list",
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

/// Puts a router behind the removal of the prefix. It goes around the router, since layers
/// within see a request only once its route is chosen.
pub fn with_path_prefix(router: Router) -> Router {
    Router::new().fallback_service(Prefixed(router))
}

/// Takes `/tenants/{slug}` off paths.
#[derive(Clone, Debug)]
struct Prefixed<S>(S);

impl<S: Service<Request>> Service<Request> for Prefixed<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> S::Future {
        if let Some((slug, rest)) = split(request.uri()) {
            *request.uri_mut() = rest;
            request.extensions_mut().insert(NamedByPath(slug));
        }
        self.0.call(request)
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
    fn words_of_the_api_cannot_be_slugs() {
        assert!(OWN.iter().all(|word| RESERVED.contains(word)));
    }
}
