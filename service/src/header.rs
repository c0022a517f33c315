//! Header fields that are lists, read part by part: what is odd about one part voids no other.
//!
//! They are read as bytes, since one character beyond ASCII in a neighbour's part (a foreign
//! cookie, a forged hop) would make the whole field unreadable as text.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// A field as text: UTF-8, else each byte as its character of ISO-8859-1 (RFC 9110 section 5.5), so
/// that nothing of it is lost.
#[must_use]
pub fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let bytes = headers.get(name)?.as_bytes();
    let utf8 = std::str::from_utf8(bytes).map(str::to_owned);
    Some(utf8.unwrap_or_else(|_| bytes.iter().copied().map(char::from).collect()))
}

/// The elements of a comma-separated field (RFC 9110 section 5.6.1), all lines of it in order.
/// Not for fields whose elements may be quoted.
pub fn elements<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl DoubleEndedIterator<Item = &'a [u8]> {
    let lines = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    lines
        .flat_map(|line| line.split(|b| *b == b','))
        .map(<[u8]>::trim_ascii)
}

/// The first cookie of a name whose value is a text (RFC 6265 section 4.2).
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|b| *b == b';'))
        .filter_map(|pair| {
            let pair = pair.trim_ascii();
            let at = pair.iter().position(|b| *b == b'=')?;
            (pair[..at] == *name.as_bytes()).then(|| std::str::from_utf8(&pair[at + 1..]).ok())?
        })
        .next()
}

/// What `If-Match` or `If-None-Match` names (RFC 9110 section 13.1).
#[derive(Debug, PartialEq, Eq)]
pub enum Tags<'a> {
    /// `*`: whatever there is.
    Any,
    /// These. Members that are no entity tags match nothing and are left out.
    Named(Vec<Tag<'a>>),
}

/// An entity tag, without its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// Whether it was marked `W/`.
    pub weak: bool,
    /// What stands between the quotes.
    pub opaque: &'a [u8],
}

/// The entity tags of a field; `None` when it is absent.
#[must_use]
pub fn tags<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Tags<'a>> {
    headers.get(name)?;
    let lines = || headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let mut whole = lines();
    if let (Some(only), None) = (whole.next(), whole.next())
        && only.trim_ascii() == b"*"
    {
        return Some(Tags::Any);
    }
    let mut found = Vec::new();
    for mut rest in lines() {
        while !rest.is_empty() {
            let (tag, behind) = first_tag(rest);
            found.extend(tag);
            rest = behind;
        }
    }
    Some(Tags::Named(found))
}

/// Splits the first member off a list; it may be no tag.
fn first_tag(list: &[u8]) -> (Option<Tag<'_>>, &[u8]) {
    let text = list.trim_ascii_start();
    let weak = text.starts_with(b"W/");
    let quoted = if weak { &text[2..] } else { text };
    if let Some(quoted) = quoted.strip_prefix(b"\"")
        && let Some(end) = quoted.iter().position(|b| *b == b'"')
    {
        let behind = quoted[end + 1..].trim_ascii_start();
        let opaque = &quoted[..end];
        let plain = opaque
            .iter()
            .all(|b| *b == 0x21 || *b >= 0x23 && *b != 0x7f);
        match behind.split_first() {
            None => return (plain.then_some(Tag { weak, opaque }), behind),
            Some((b',', rest)) => return (plain.then_some(Tag { weak, opaque }), rest),
            _ => {}
        }
    }
    let at = text.iter().position(|b| *b == b',');
    (None, at.map_or(&[][..], |at| &text[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, lines: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, HeaderValue::from_bytes(line).unwrap());
        }
        headers
    }

    #[test]
    fn a_text_beyond_ascii_is_read_whole() {
        for (sent, read) in [
            (&b"plain"[..], "plain"),
            ("Gerät/1 ☃".as_bytes(), "Gerät/1 ☃"),
            (b"Ger\xe4t/1", "Gerät/1"),
            (b"\xff", "ÿ"),
        ] {
            let value = HeaderValue::from_bytes(sent).unwrap();
            let headers = HeaderMap::from_iter([(header::USER_AGENT, value)]);
            assert_eq!(text(&headers, &header::USER_AGENT).unwrap(), read);
        }
    }

    #[test]
    fn a_cookie_is_found_by_its_exact_name_beside_odd_ones() {
        let sent = headers(
            "cookie",
            &[b"xa=0; \xfe=\xff; b=\xff; b=2;a=1=2; a=3", b"c="],
        );
        assert_eq!(cookie(&sent, "a"), Some("1=2"));
        assert_eq!(cookie(&sent, "b"), Some("2"));
        assert_eq!(cookie(&sent, "c"), Some(""));
        assert_eq!(cookie(&sent, "x"), None);
    }

    #[test]
    fn tags_are_read_one_by_one() {
        let read = |line: &'static [u8]| {
            let sent = headers("if-match", &[line]);
            match tags(&sent, &header::IF_MATCH).unwrap() {
                Tags::Any => vec!["*".to_owned()],
                Tags::Named(tags) => tags
                    .iter()
                    .map(|tag| {
                        let mark = if tag.weak { "W/" } else { "" };
                        format!("{mark}{}", String::from_utf8_lossy(tag.opaque))
                    })
                    .collect(),
            }
        };
        assert_eq!(read(b" * "), ["*"]);
        assert_eq!(read(b"\"1\" ,W/\"2\",, \"a,b\""), ["1", "W/2", "a,b"]);
        assert_eq!(read(b"\xfe, \"1\", \"\xff\", 2, \"3"), ["1", "\u{fffd}"]);
        for none in [
            &b"1"[..],
            b"\"",
            b"*, x",
            b"\"1\"x",
            b"w/\"1\"",
            b"W/W/\"1\"",
            b"",
        ] {
            assert_eq!(read(none), [""; 0], "{none:?}");
        }
        assert_eq!(tags(&HeaderMap::new(), &header::IF_MATCH), None);
    }
}
