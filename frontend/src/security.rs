//! The headers that every answer carries, whatever it is.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderName, HeaderValue, header};
use service::settings::Addresses;

use crate::site::Site;

/// Nothing inline, nothing from elsewhere, in nobody's frame, and no form sent to others.
const POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; \
    frame-ancestors 'none'; form-action 'self'";

/// Browsers hold `form-action` against every redirect that follows a form. Those of signing in and
/// registering may end at the address of an OAuth client, which can be any: the data plane has
/// checked it.
const SIGN_IN_POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The policy of the sign-up form, which leads to the new tenant's own host.
pub(crate) fn sign_up_policy(addresses: &Addresses) -> Option<HeaderValue> {
    let tenants = addresses.pages_of(&addresses.subdomain("*"));
    format!("{POLICY} {tenants}").parse().ok()
}

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
    let policy = match request.uri().path() {
        "/sign-in" | "/register" => SIGN_IN_POLICY,
        _ => POLICY,
    };
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(policy));
    if site.addresses.secure() {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
