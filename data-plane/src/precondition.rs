//! Conditional requests (RFC 9110 section 13). Tags are compared as characters.

use std::fmt::Display;

use http::{HeaderMap, HeaderValue, header};
use service::{
    exact,
    header::{Tags, tags},
};

/// The strong ETag of a version or digest.
pub(crate) fn etag(version: impl Display) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\""))
        .unwrap_or_else(|_| HeaderValue::from_static("\"0\""))
}

/// The versions that `If-Match` lets be changed; `None` when it lets any. A tag that is weak or
/// none of ours matches nothing, as the RFC has it.
pub(crate) fn if_match(headers: &HeaderMap) -> Option<Vec<i64>> {
    let Tags::Named(tags) = tags(headers, &header::IF_MATCH)? else {
        return None;
    };
    let version = |opaque| exact::parse(std::str::from_utf8(opaque).ok()?);
    let strong = tags.iter().filter(|tag| !tag.weak);
    Some(strong.filter_map(|tag| version(tag.opaque)).collect())
}

/// Whether `If-Match` lets this version be changed.
pub(crate) fn may_change(headers: &HeaderMap, current: &str) -> bool {
    match tags(headers, &header::IF_MATCH) {
        None | Some(Tags::Any) => true,
        Some(Tags::Named(tags)) => tags
            .iter()
            .any(|tag| !tag.weak && tag.opaque == current.as_bytes()),
    }
}

/// Whether `If-None-Match` says that the caller has this version already.
pub(crate) fn has_already(headers: &HeaderMap, current: impl Display) -> bool {
    match tags(headers, &header::IF_NONE_MATCH) {
        None => false,
        Some(Tags::Any) => true,
        Some(Tags::Named(tags)) => {
            let current = current.to_string();
            tags.iter().any(|tag| tag.opaque == current.as_bytes())
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn if_match_takes_strong_tags_of_ours() {
        let read = |value| if_match(&headers(header::IF_MATCH, value));
        assert_eq!(if_match(&HeaderMap::new()), None);
        assert_eq!(read("*"), None);
        assert_eq!(read("\"3\", x, \"4\""), Some(vec![3, 4]));
        for odd in [
            "W/\"3\"",
            "3",
            "\"\"",
            "\"x\"",
            "\"+1\"",
            "\"02\"",
            "\" 2\"",
            "\"99999999999999999999\"",
        ] {
            assert_eq!(read(odd), Some(vec![]), "{odd}");
            assert!(!may_change(&headers(header::IF_MATCH, odd), "3"), "{odd}");
        }
    }

    #[test]
    fn a_digest_is_matched_strongly() {
        let may = |value| may_change(&headers(header::IF_MATCH, value), "ab-c");
        assert!(may_change(&HeaderMap::new(), "ab-c") && may("*") && may("\"1\",\"ab-c\""));
        assert!(!may("W/\"ab-c\"") && !may("\"AB-C\"") && !may("ab-c") && !may(""));
    }

    #[test]
    fn if_none_match_compares_weakly() {
        let has = |value| has_already(&headers(header::IF_NONE_MATCH, value), 3);
        assert!(has("\"3\"") && has("W/\"3\"") && has("*") && has("\"1\", \"3\""));
        assert!(!has("\"4\"") && !has("3") && !has("\"03\"") && !has("W/W/\"3\""));
    }
}
