//! Which pages of other origins may call a tenant, without cookies (CORS of the Fetch standard).
//!
//! Discovery and keys are for everybody; tokens and the API for the origins that the tenant's clients
//! registered. No answer ever lets cookies come along. A preflight carries neither a header of ours
//! nor a client, so that browsers name the tenant by host or by path.

mod origins;

use std::convert::Infallible;

use axum::{Router, extract::Request, response::Response};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{self, Entry},
    request::Parts,
};
use service::layers::Preflight;
use tower::Service;

use crate::{app::App, resolve::resolve, store};
pub(crate) use origins::{Origins, origin_of};

/// What a page may read of an answer beside the body.
const EXPOSED: &str = "ETag, Location, WWW-Authenticate, DPoP-Nonce, Retry-After, RateLimit, \
    RateLimit-Policy, X-Request-Id";
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
const HEADERS: &str = "Authorization, Content-Type, DPoP, If-Match, If-None-Match, \
    Idempotency-Key, X-Request-Id, X-Tenant-Slug, X-Tenant-ID, Traceparent";
/// How long a browser remembers what a preflight said.
const SECONDS: &str = "600";

/// Whom a path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Audience {
    /// Pages of any origin.
    Anyone,
    /// Pages of the origins that the tenant's clients registered.
    Clients,
    /// No page of another origin.
    Nobody,
}

impl Audience {
    fn of(path: &str) -> Self {
        match path {
            "/oauth/jwks" => Self::Anyone,
            "/oauth/token" | "/oauth/revoke" | "/oauth/userinfo" => Self::Clients,
            path if path.starts_with("/.well-known/") => Self::Anyone,
            path if path.starts_with("/api/") => Self::Clients,
            _ => Self::Nobody,
        }
    }
}

/// Puts the rules around a router and all that it answers, errors included.
pub(crate) async fn around(app: &App, request: Request, mut router: Router) -> Response {
    let audience = Audience::of(request.uri().path());
    if audience == Audience::Nobody {
        return infallible(router.call(request).await);
    }
    let (mut parts, body) = request.into_parts();
    let preflight = is_preflight(&parts);
    let allowed = allowed(app, &parts, audience, preflight).await;
    if preflight {
        parts.extensions.insert(Preflight);
    }
    let request = Request::from_parts(parts, body);
    let mut response = infallible(router.call(request).await);
    // What cannot be looked up now is said to be so, which holds nothing of the tenant's.
    let out_of_order = response.status() == StatusCode::SERVICE_UNAVAILABLE;
    let allowed = match allowed {
        Allowed::Yes(origin) => Some(origin),
        Allowed::Unknown(origin) if out_of_order => Some(origin),
        Allowed::Unknown(_) | Allowed::No => None,
    };
    let headers = response.headers_mut();
    if audience == Audience::Clients {
        vary(headers);
    }
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let further: &[(HeaderName, &'static str)] = match preflight {
            true => &[
                (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
                (header::ACCESS_CONTROL_MAX_AGE, SECONDS),
            ],
            false => &[(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED)],
        };
        for (name, value) in further {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

fn infallible(outcome: Result<Response, Infallible>) -> Response {
    match outcome {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS
        && parts.headers.contains_key(header::ORIGIN)
        && parts
            .headers
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// What a page may do, by the value of `Access-Control-Allow-Origin`.
enum Allowed {
    Yes(HeaderValue),
    No,
    /// The database does not say.
    Unknown(HeaderValue),
}

async fn allowed(app: &App, parts: &Parts, audience: Audience, preflight: bool) -> Allowed {
    let any = HeaderValue::from_static("*");
    match (audience, parts.headers.get(header::ORIGIN)) {
        (Audience::Anyone, _) if !preflight => Allowed::Yes(any),
        (Audience::Anyone, _) => match Box::pin(resolve(parts, app)).await {
            Ok(_) => Allowed::Yes(any),
            Err(_) => Allowed::No,
        },
        (Audience::Clients, Some(origin)) => Box::pin(registered(app, parts, origin)).await,
        _ => Allowed::No,
    }
}

/// Whether a client of the tenant registered the origin.
async fn registered(app: &App, parts: &Parts, origin: &HeaderValue) -> Allowed {
    // Browsers write one as `ascii_serialization` does; anything else is nobody's.
    let Some(text) = origin
        .to_str()
        .ok()
        .filter(|text| origin_of(text).as_deref() == Some(*text))
    else {
        return Allowed::No;
    };
    let tenant = match resolve(parts, app).await {
        Ok(tenant) => tenant,
        Err(problem) if problem.kind().status() == StatusCode::SERVICE_UNAVAILABLE => {
            return Allowed::Unknown(origin.clone());
        }
        Err(_) => return Allowed::No,
    };
    let db = app.lanes.open(tenant.clone());
    match app
        .origins
        .of(tenant.id, store::clients::addresses(&db))
        .await
    {
        Ok(Some(origins)) if origins.contains(text) => Allowed::Yes(origin.clone()),
        Ok(_) => Allowed::No,
        Err(cause) => {
            tracing::warn!(%cause, "the origins of the tenant's clients are not known");
            Allowed::Unknown(origin.clone())
        }
    }
}

/// Adds to what the answer depends on.
fn vary(headers: &mut HeaderMap) {
    match headers.entry(header::VARY) {
        Entry::Occupied(mut values) => values.append(HeaderValue::from_static("Origin")),
        Entry::Vacant(place) => {
            place.insert(HeaderValue::from_static("Origin"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_its_audience() {
        for path in ["/.well-known/openid-configuration", "/oauth/jwks"] {
            assert_eq!(Audience::of(path), Audience::Anyone, "{path}");
        }
        for path in [
            "/oauth/token",
            "/oauth/revoke",
            "/oauth/userinfo",
            "/api/notes/1",
        ] {
            assert_eq!(Audience::of(path), Audience::Clients, "{path}");
        }
        for path in [
            "/",
            "/oauth/login",
            "/oauth/client/register",
            "/tenants/users",
            "/api",
        ] {
            assert_eq!(Audience::of(path), Audience::Nobody, "{path}");
        }
    }
}
