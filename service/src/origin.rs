//! Cross-site request forgery, for calls that a cookie authenticates.
//!
//! A browser tells where a request comes from (`Origin`, RFC 6454; `Sec-Fetch-Site`, Fetch
//! Metadata); other clients say nothing and carry no victim's cookies. Sibling tenants under one
//! parent domain are the *same site* to a browser, so only the same host is let through.

use http::{HeaderMap, header, uri::Authority};

use crate::problem::{Kind, Problem};

/// Refuses a changing call unless it comes from a page of the same host, or from no page at all.
///
/// `host` is the host the request was sent to, with or without a port. Ports may differ: pages
/// and API are one host on two ports.
///
/// # Errors
/// `CrossSite`.
pub fn require_same_host(headers: &HeaderMap, host: &str) -> Result<(), Problem> {
    if is_same_host(headers, host) {
        return Ok(());
    }
    Err(Problem::new(Kind::CrossSite)
        .detail("From a browser, changes are accepted from pages of the same host alone."))
}

fn is_same_host(headers: &HeaderMap, host: &str) -> bool {
    match headers.get(header::ORIGIN) {
        Some(origin) => origin
            .to_str()
            .is_ok_and(|origin| origin_host(origin) == Some(hostname(host))),
        None => headers
            .get("sec-fetch-site")
            .is_none_or(|site| site == "same-origin" || site == "none"),
    }
}

fn origin_host(origin: &str) -> Option<String> {
    let rest = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"))?;
    Some(hostname(rest))
}

fn hostname(host: &str) -> String {
    let bare = host
        .parse::<Authority>()
        .map_or_else(|_| host.to_owned(), |authority| authority.host().to_owned());
    bare.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(origin: Option<&str>, site: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        if let Some(site) = site {
            headers.insert("sec-fetch-site", site.parse().unwrap());
        }
        require_same_host(&headers, "acme.example.com:8080").is_ok()
    }

    #[test]
    fn only_the_same_host_and_clients_that_are_no_browser_pass() {
        assert!(verdict(None, None));
        assert!(verdict(None, Some("same-origin")));
        assert!(verdict(None, Some("none")));
        assert!(verdict(Some("https://acme.example.com"), Some("same-site")));
        assert!(verdict(Some("http://ACME.example.com:8000"), None));
        assert!(!verdict(None, Some("same-site")));
        assert!(!verdict(None, Some("cross-site")));
        for foreign in [
            "https://evil.example.com",
            "https://acme.example.com.evil.org",
            "https://evilacme.example.com",
            "null",
            "file://acme.example.com",
            "",
        ] {
            assert!(!verdict(Some(foreign), Some("same-origin")), "{foreign}");
        }
    }
}
