//! Where to go after signing in: a path on the same host, never anywhere else.
//!
//! A link may name the place (`?return_to=`), so it is anybody's word. It is read the way a
//! browser would read it, and only what then still is a path on this host is used.

use url::{Position, Url, form_urlencoded::Serializer};

const LONGEST: usize = 2048;

/// The path and query to go to; the front page for everything that would leave the host.
pub(crate) fn safe(wanted: &str) -> String {
    local(wanted).unwrap_or_else(|| "/".to_owned())
}

/// A page of ours that goes on to the wanted place. `after` says what just happened, if anything.
pub(crate) fn by_way_of(page: &str, after: Option<&str>, wanted: &str) -> String {
    let wanted = Some(safe(wanted)).filter(|path| path != "/");
    let mut query = Serializer::new(String::new());
    query.extend_pairs(after.map(|after| ("after", after)));
    query.extend_pairs(wanted.map(|wanted| ("return_to", wanted)));
    let query = query.finish();
    if query.is_empty() {
        page.to_owned()
    } else {
        format!("{page}?{query}")
    }
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
        for path in [
            "/",
            "/oauth/authorize?client_id=a&state=b%2Fc",
            "/a#b",
            "/a/b",
        ] {
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
    fn pages_pass_the_place_on() {
        assert_eq!(by_way_of("/sign-in", None, "/"), "/sign-in");
        assert_eq!(
            by_way_of("/sign-in", Some("sign-out"), ""),
            "/sign-in?after=sign-out"
        );
        assert_eq!(
            by_way_of("/register", None, "/a?b=c"),
            "/register?return_to=%2Fa%3Fb%3Dc"
        );
        assert_eq!(by_way_of("/register", None, "//evil.example/"), "/register");
    }

    #[test]
    fn line_breaks_do_not_reach_a_header() {
        assert_eq!(safe("/a\r\nSet-Cookie: b=c"), "/aSet-Cookie:%20b=c");
    }
}
