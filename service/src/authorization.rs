//! The `Authorization` header, as far as bearer tokens go (RFC 6750 section 2.1).

use http::{HeaderMap, header};

/// What a request's head says of a bearer token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearer<'a> {
    /// There is no such header.
    Absent,
    /// One token.
    Token(&'a str),
    /// The header is of another scheme: a challenge, without an error code, says which is wanted.
    OtherScheme,
    /// Two headers, or no token that could be one: `invalid_request`.
    Malformed,
}

/// Reads the header. The scheme's letters may be of either case (RFC 9110 section 11.1).
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Bearer<'_> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Bearer::Absent,
        (Some(_), Some(_)) => return Bearer::Malformed,
        (Some(value), None) => value.as_bytes(),
    };
    let end = value.iter().position(|byte| *byte == b' ');
    let (scheme, token) = value.split_at(end.unwrap_or(value.len()));
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Bearer::OtherScheme;
    }
    match std::str::from_utf8(token).map(str::trim) {
        Ok(token) if is_token(token) => Bearer::Token(token),
        _ => Bearer::Malformed,
    }
}

/// `b64token` of RFC 6750.
fn is_token(text: &str) -> bool {
    let of_a_token = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
    };
    !text.is_empty() && text.bytes().all(of_a_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_is_told_from_what_is_none() {
        for (values, expected) in [
            (&[][..], Bearer::Absent),
            (&["Bearer abc"], Bearer::Token("abc")),
            (&["bEARER  a-._~+/= "], Bearer::Token("a-._~+/=")),
            (&["Basic YTpi"], Bearer::OtherScheme),
            (&["BearerX abc"], Bearer::OtherScheme),
            (&["abc"], Bearer::OtherScheme),
            (&[""], Bearer::OtherScheme),
            (&["Bearer"], Bearer::Malformed),
            (&["Bearer "], Bearer::Malformed),
            (&["Bearer a b"], Bearer::Malformed),
            (&["Bearer a", "Bearer a"], Bearer::Malformed),
            (&["Bearer a", "Basic YTpi"], Bearer::Malformed),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, value.parse().unwrap());
            }
            assert_eq!(bearer(&headers), expected, "{values:?}");
        }
    }
}
