//! The headers that every answer carries, whatever it is.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderName, HeaderValue, header};

use crate::site::Site;

/// Nothing inline, nothing from elsewhere, in nobody's frame, and no form sent to others.
const POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; \
    frame-ancestors 'none'; form-action 'self'";

/// Browsers hold `form-action` against every redirect that follows a form. The sign-in form's may
/// end at the address of an OAuth client, which can be any: the data plane has checked it.
const SIGN_IN_POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; \
    frame-ancestors 'none'";

/// `no-referrer` would be stricter still, but makes browsers send `Origin: null` with our own
/// forms, which then could not be told from a stranger's.
const REFERRER: &str = "same-origin";

const ALWAYS: [(HeaderName, &str); 5] = [
    (header::REFERRER_POLICY, REFERRER),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Adds the headers on the way out. Pages are not stored: they may show who is signed in.
pub(crate) async fn headers(State(site): State<Site>, request: Request, next: Next) -> Response {
    let policy = if request.uri().path() == "/sign-in" {
        SIGN_IN_POLICY
    } else {
        POLICY
    };
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS
        .into_iter()
        .chain([(header::CONTENT_SECURITY_POLICY, policy)])
    {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if site.addresses.secure() {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
