//! Where to go after signing in: a path on the same host, never anywhere else.
//!
//! A link may name the place (`?return_to=`), so it is anybody's word. It is read the way a
//! browser would read it, and only what then still is a path on this host is used.

use url::{Position, Url};

const LONGEST: usize = 2048;

/// The path and query to go to; the front page for everything that would leave the host.
pub(crate) fn safe(wanted: &str) -> String {
    local(wanted).unwrap_or_else(|| "/".to_owned())
}

fn local(wanted: &str) -> Option<String> {
    if !wanted.starts_with('/') || wanted.len() > LONGEST {
        return None;
    }
    let here = Url::parse("http://here.invalid/").ok()?;
    let there = here.join(wanted).ok()?;
    let path = &there[Position::BeforePath..];
    // Dot segments can uncover a second slash ("/.//host"), which a browser reads as a host.
    (there.origin() == here.origin() && !path.starts_with("//")).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_this_host_are_kept() {
        for path in ["/", "/oauth/authorize?client_id=a&state=b%2Fc", "/a#b", "/a/b"] {
            assert_eq!(safe(path), path);
        }
    }

    #[test]
    fn nothing_leads_elsewhere() {
        for elsewhere in [
            "",
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example/",
            "\\\\evil.example",
            "/\t/evil.example/",
            "/\n//evil.example/",
            "/.//evil.example/",
            "/a/..//evil.example/",
            "javascript:alert(1)",
            "evil.example",
            " //evil.example",
        ] {
            assert_eq!(safe(elsewhere), "/", "{elsewhere:?}");
        }
        assert_eq!(safe(&format!("/{}", "a".repeat(LONGEST))), "/");
    }

    #[test]
    fn line_breaks_do_not_reach_a_header() {
        assert_eq!(safe("/a\r\nSet-Cookie: b=c"), "/aSet-Cookie:%20b=c");
    }
}
