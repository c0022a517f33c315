//! Cookies: HttpOnly and SameSite=Lax always; `Secure` and the `__Host-` prefix under TLS, so that no
//! sibling tenant's host can set them.

use http::{HeaderMap, HeaderValue};
use service::settings::Addresses;

/// A cookie, by its name before any prefix.
pub(super) struct Cookie(pub(super) &'static str);

impl Cookie {
    fn name(&self, addresses: &Addresses) -> String {
        let prefix = if addresses.secure() { "__Host-" } else { "" };
        format!("{prefix}{}", self.0)
    }

    /// Its value in a request's cookies.
    pub(super) fn read(&self, headers: &HeaderMap, addresses: &Addresses) -> Option<String> {
        service::header::cookie(headers, &self.name(addresses)).map(str::to_owned)
    }

    /// The `Set-Cookie` value that gives it a value for some seconds.
    pub(super) fn set(&self, addresses: &Addresses, value: &str, seconds: u32) -> HeaderValue {
        let secure = if addresses.secure() { "; Secure" } else { "" };
        let text = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}",
            self.name(addresses)
        );
        HeaderValue::from_str(&text).map_or_else(
            |_| HeaderValue::from_static(""),
            |mut value| {
                value.set_sensitive(true);
                value
            },
        )
    }
}
