//! URLs that browsers follow: redirect URIs, logos.
//!
//! They are kept and compared as they were written, so only what a browser would not rewrite is
//! accepted: what was checked is then where the browser goes.

use url::Url;

/// Reads one of a number of characters at the most.
///
/// # Errors
/// Why it cannot be used, to stand behind its name.
pub fn read(text: &str, max_length: usize) -> Result<Url, String> {
    let refused = |why: &str| Err(why.to_owned());
    if text.len() > max_length {
        return Err(format!("has more than {max_length} characters"));
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) || text.contains(['\\', '*', '#', '"', '<', '>'])
    {
        return refused("must be ASCII without white space, backslash, wildcard and fragment");
    }
    let Ok(url) = Url::parse(text) else {
        return refused("is not absolute");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refused("must not have user information");
    }
    if !is_written_as(&url, text) {
        return Err(format!("is read by browsers as {url}; write that"));
    }
    Ok(url)
}

/// The same, of `https` alone.
///
/// # Errors
/// Why it cannot be used, to stand behind its name.
pub fn read_https(text: &str, max_length: usize) -> Result<Url, String> {
    let url = read(text, max_length)?;
    match url.scheme() {
        "https" => Ok(url),
        _ => Err("must be an https address".to_owned()),
    }
}

/// Whether a browser would send to the very text. It may leave out the path of a host's root.
fn is_written_as(url: &Url, text: &str) -> bool {
    let written = url.as_str();
    written == text || url.path() == "/" && written.strip_suffix('/') == Some(text)
}

#[cfg(test)]
mod tests {
    use super::read_https;

    #[test]
    fn an_https_address_is_what_a_browser_opens() {
        for good in ["https://a.example", "https://a.example/logo.svg?v=2"] {
            assert!(read_https(good, 100).is_ok(), "{good}");
        }
        for bad in [
            "https://",
            "https://user@a.example/logo.svg",
            "https://A.example/logo.svg",
            "https://a.example/#logo",
            "https://a.example/logo one.svg",
            "http://a.example/logo.svg",
            "javascript:alert(1)",
            &format!("https://a.example/{}", "x".repeat(100)),
        ] {
            assert!(read_https(bad, 100).is_err(), "{bad}");
        }
    }
}
