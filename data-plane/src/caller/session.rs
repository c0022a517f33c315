//! The session cookie.

use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use service::settings::Addresses;

use super::cookie::Cookie;

const COOKIE: Cookie = Cookie("tenantry_session");

/// The session's secret in a request's cookies.
pub(crate) fn secret_of(headers: &HeaderMap, addresses: &Addresses) -> Option<String> {
    COOKIE.read(headers, addresses)
}

/// The `Set-Cookie` value that begins a session.
pub(crate) fn set_cookie(
    addresses: &Addresses,
    secret: &SecretString,
    seconds: u32,
) -> HeaderValue {
    COOKIE.set(addresses, secret.expose_secret(), seconds)
}

/// The `Set-Cookie` value that ends it.
pub(crate) fn clear_cookie(addresses: &Addresses) -> HeaderValue {
    COOKIE.set(addresses, "", 0)
}

#[cfg(test)]
mod tests {
    use http::header;

    use super::*;

    fn addresses(url: &str) -> Addresses {
        Addresses {
            api_public_url: Some(url.parse().unwrap()),
            ..Addresses::default()
        }
    }

    #[test]
    fn under_tls_the_cookie_is_bound_to_its_host() {
        let plain = set_cookie(&addresses("http://localhost:8080"), &"x".into(), 60);
        assert_eq!(
            plain,
            "tenantry_session=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=60"
        );
        let secure = set_cookie(&addresses("https://example.com"), &"x".into(), 60);
        assert_eq!(
            secure,
            "__Host-tenantry_session=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure"
        );
    }

    #[test]
    fn the_secret_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("a=b; tenantry_session=s; c"),
        );
        assert_eq!(
            secret_of(&headers, &addresses("http://x")).as_deref(),
            Some("s")
        );
        assert_eq!(secret_of(&headers, &addresses("https://x")), None);
    }
}
