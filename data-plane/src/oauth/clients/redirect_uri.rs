//! Redirect URIs (RFC 6749 section 3.1.2, RFC 8252 section 7).
//!
//! They are kept and compared as they were written; what that asks of a URL is in
//! [`service::web_url`].

use service::web_url;

const MAX_LENGTH: usize = 2000;

/// Checks one.
///
/// # Errors
/// Why it cannot be used, to stand behind "the redirect URI".
pub(super) fn check(text: &str) -> Result<(), String> {
    let refused = |why: &str| Err(why.to_owned());
    let url = web_url::read(text, MAX_LENGTH)?;
    let loopback = url.host_str().is_some_and(is_loopback);
    match url.scheme() {
        "https" => Ok(()),
        "http" if loopback => Ok(()),
        "http" => refused("needs https, but for loopback"),
        scheme if scheme.contains('.') => Ok(()),
        _ => refused("has a scheme that is neither https nor private to an app"),
    }
}

fn is_loopback(host: &str) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].contains(&host) || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_is_accepted_is_what_a_browser_follows() {
        for good in [
            "https://app.example.com",
            "https://app.example.com/",
            "https://app.example.com/cb?next=%2Fa&x=1",
            "https://app.example.com:8443/cb",
            "https://xn--bcher-kva.example/cb",
            "https://192.0.2.1/cb",
            "http://localhost:3000/cb",
            "http://acme.localhost/cb",
            "http://127.0.0.1:49152/cb",
            "http://[::1]:49152/cb",
            "com.example.app:/cb",
            "com.example.app:cb",
            "com.example.app://cb/x",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_a_browser_would_read_otherwise_is_refused() {
        for bad in [
            "",
            "/cb",
            "//a.example/cb",
            "https:a.example/cb",
            "https:/a.example/cb",
            "https:///a.example/cb",
            "https:\\\\a.example\\cb",
            "https://a.example\\@b.example/cb",
            " https://a.example/cb",
            "https://a.example/cb ",
            "https://a.example/c b",
            "https://a.example/cb\n",
            "https://a.exa\tmple/cb",
            "https://a.example/\u{0}",
            "https://a.example/\u{7f}",
            "https://a.example/ä",
            "https://bücher.example/cb",
            "https://a.example/cb#x",
            "https://a.example/cb#",
            "https://user@a.example/cb",
            "https://user:pass@a.example/cb",
            "https://@a.example/cb",
            "https://A.example/cb",
            "HTTPS://a.example/cb",
            "https://a.example:443/cb",
            "https://a.example/x/../cb",
            "https://a.example/./cb",
            "https://a.example/%2e%2e/cb",
            "https://a%2eexample/cb",
            "https://*.example/cb",
            "https://a.example/*",
            "https://a.example/<x>",
            "http://127.1/cb",
            "http://0x7f000001/cb",
            "http://2130706433/cb",
            "http://127.0.0.2/cb",
            "http://127.0.0.1./cb",
            "http://[0:0:0:0:0:0:0:1]/cb",
            "http://[::ffff:127.0.0.1]/cb",
            "http://0.0.0.0/cb",
            "http://LOCALHOST/cb",
            "http://localhost.example/cb",
            "http://notlocalhost/cb",
            "http://app.example.com/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "app:/cb",
            "COM.example.app:/cb",
            "com.example.app://user@cb",
            &format!("https://a.example/{}", "x".repeat(2000)),
        ] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }
}
