//! The session cookie.
//!
//! HttpOnly and SameSite=Lax always; `Secure` and the `__Host-` prefix under TLS, so that no
//! sibling tenant's host can set it.

use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use service::settings::Addresses;

const NAME: &str = "tenantry_session";

fn name(addresses: &Addresses) -> String {
    if addresses.secure() {
        format!("__Host-{NAME}")
    } else {
        NAME.to_owned()
    }
}

/// The session's secret in a request's cookies.
pub(crate) fn secret_of(headers: &HeaderMap, addresses: &Addresses) -> Option<String> {
    service::header::cookie(headers, &name(addresses)).map(str::to_owned)
}

/// The `Set-Cookie` value that begins a session.
pub(crate) fn set_cookie(
    addresses: &Addresses,
    secret: &SecretString,
    seconds: u32,
) -> HeaderValue {
    cookie(addresses, secret.expose_secret(), seconds)
}

/// The `Set-Cookie` value that ends it.
pub(crate) fn clear_cookie(addresses: &Addresses) -> HeaderValue {
    cookie(addresses, "", 0)
}

fn cookie(addresses: &Addresses, value: &str, seconds: u32) -> HeaderValue {
    let secure = if addresses.secure() { "; Secure" } else { "" };
    let text = format!(
        "{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}",
        name(addresses)
    );
    HeaderValue::from_str(&text).map_or_else(
        |_| HeaderValue::from_static(""),
        |mut value| {
            value.set_sensitive(true);
            value
        },
    )
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
