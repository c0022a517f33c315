//! `application/x-www-form-urlencoded` (WHATWG URL) and percent-encoding (RFC 3986), decoded
//! exactly or not at all: where the common parsers keep a broken `%zz` and put U+FFFD in place of
//! invalid UTF-8, two texts become one, so here they are refused.

use std::borrow::Cow;

use percent_encoding::percent_decode;
use serde::de::DeserializeOwned;

use super::NUL;
use crate::faults::Faults;

/// Why a form or query is refused.
#[derive(Debug)]
pub(super) enum Fault {
    /// It cannot be decoded, or does not have the parameters that are meant.
    Encoding(String),
    /// Some values hold what PostgreSQL cannot.
    Texts(Faults),
}

/// Whether parameters without a value count as omitted (RFC 6749 section 3.2).
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Empty {
    Kept,
    Omitted,
}

/// Reads a form's or query's parameters. One that is known may be there once.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8], empty: Empty) -> Result<T, Fault> {
    let mut kept = Vec::with_capacity(bytes.len());
    let mut faults = Faults::new();
    for pair in bytes.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
        let (name, value) = decode_pair(pair).ok_or_else(broken)?;
        if name.contains('\0') || value.contains('\0') {
            faults.add(name.replace('\0', "\u{fffd}"), NUL);
        }
        if empty == Empty::Kept || !value.is_empty() {
            kept.extend_from_slice(pair);
            kept.push(b'&');
        }
    }
    if !faults.is_empty() {
        return Err(Fault::Texts(faults));
    }
    serde_urlencoded::from_bytes(&kept).map_err(|fault| Fault::Encoding(fault.to_string()))
}

fn broken() -> Fault {
    Fault::Encoding("it is not percent-encoded UTF-8".to_owned())
}

fn decode_pair(pair: &[u8]) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let at = pair.iter().position(|b| *b == b'=');
    let (name, value) = at.map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
    Some((decode(name)?, decode(value)?))
}

/// Decodes one name or value of a form, in which `+` is a space; `None` when it cannot be decoded
/// exactly.
#[must_use]
pub fn decode(text: &[u8]) -> Option<Cow<'_, str>> {
    if text.contains(&b'+') {
        let spaced: Vec<u8> = text
            .iter()
            .map(|b| if *b == b'+' { b' ' } else { *b })
            .collect();
        return decode_percent(&spaced).map(|decoded| decoded.into_owned().into());
    }
    decode_percent(text)
}

/// Decodes percent-encoding; `None` when it cannot be decoded exactly.
#[must_use]
pub fn decode_percent(text: &[u8]) -> Option<Cow<'_, str>> {
    let hex = |at: usize| text.get(at).is_some_and(u8::is_ascii_hexdigit);
    let mut signs = text.iter().enumerate().filter(|(_, b)| **b == b'%');
    if signs.any(|(at, _)| !hex(at + 1) || !hex(at + 2)) {
        return None;
    }
    percent_decode(text).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Sample {
        a: Option<String>,
        b: Option<u8>,
    }

    fn sample(text: &[u8], empty: Empty) -> Option<(Option<String>, Option<u8>)> {
        let sample: Sample = read(text, empty).ok()?;
        Some((sample.a, sample.b))
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let text = |text: &str| Some((Some(text.to_owned()), None));
        for (form, read) in [
            (&b"a=x+y"[..], "x y"),
            (b"a=x%20y", "x y"),
            (b"a=%2B%25%3D%26", "+%=&"),
            (b"&&a=%C3%A4&&", "ä"),
            ("a=ä".as_bytes(), "ä"),
            (b"a==", "="),
            (b"a", ""),
            (b"%61=x&c=y&c=z", "x"),
        ] {
            assert_eq!(sample(form, Empty::Kept), text(read), "{form:?}");
        }
    }

    #[test]
    fn what_cannot_be_decoded_exactly_is_refused() {
        for bad in [
            &b"a=%zz"[..],
            b"a=%",
            b"a=%2",
            b"a=%ff",
            b"a=\xff",
            b"%=1",
            b"c=%ff",
            b"a=%00",
            b"%00=1",
            b"a=%ed%a0%80",
            b"a=1&a=1",
            b"b=256",
        ] {
            for empty in [Empty::Kept, Empty::Omitted] {
                assert_eq!(sample(bad, empty), None, "{bad:?}");
            }
        }
    }

    #[test]
    fn empty_parameters_can_count_as_omitted() {
        assert_eq!(sample(b"b=", Empty::Kept), None);
        for form in [&b"b=&a="[..], b"a&b", b"a=&a="] {
            assert_eq!(sample(form, Empty::Omitted), Some((None, None)), "{form:?}");
        }
    }
}
