//! Conditional requests (RFC 9110 section 13), for resources whose ETag is a version.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use service::{Kind, Problem};

/// The strong ETag of a version.
pub(super) fn etag(version: i64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\""))
        .unwrap_or_else(|_| HeaderValue::from_static("\"0\""))
}

/// The versions that `If-Match` lets be changed; `None` when it lets any. A tag that is weak or
/// none of ours matches nothing, as the RFC has it.
///
/// # Errors
/// 400 when the header cannot be read.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<Vec<i64>>, Problem> {
    let Some(tags) = tags(headers, &header::IF_MATCH)? else {
        return Ok(None);
    };
    if tags.contains(&"*") {
        return Ok(None);
    }
    Ok(Some(tags.iter().filter_map(|tag| version(tag)).collect()))
}

/// Whether `If-None-Match` says that the caller has this version already.
///
/// # Errors
/// 400 when the header cannot be read.
pub(super) fn has_already(headers: &HeaderMap, current: i64) -> Result<bool, Problem> {
    let tags = tags(headers, &header::IF_NONE_MATCH)?.unwrap_or_default();
    let same = |tag: &&str| *tag == "*" || version(tag.trim_start_matches("W/")) == Some(current);
    Ok(tags.iter().any(same))
}

fn tags<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<Vec<&'a str>>, Problem> {
    if !headers.contains_key(name) {
        return Ok(None);
    }
    let mut tags = Vec::new();
    for value in headers.get_all(name) {
        let text = value.to_str().map_err(|_| {
            Problem::new(Kind::MalformedRequest).detail(format!("The header {name}."))
        })?;
        tags.extend(text.split(',').map(str::trim));
    }
    Ok(Some(tags))
}

fn version(tag: &str) -> Option<i64> {
    tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn if_match_takes_strong_tags_of_ours() {
        let read = |value| if_match(&headers(header::IF_MATCH, value)).unwrap();
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
        assert_eq!(read("*"), None);
        assert_eq!(read("\"3\", \"4\""), Some(vec![3, 4]));
        for odd in ["W/\"3\"", "3", "\"\"", "\"x\"", "\"99999999999999999999\""] {
            assert_eq!(read(odd), Some(vec![]), "{odd}");
        }
    }

    #[test]
    fn if_none_match_compares_weakly() {
        let has = |value| has_already(&headers(header::IF_NONE_MATCH, value), 3).unwrap();
        assert!(has("\"3\"") && has("W/\"3\"") && has("*") && has("\"1\", \"3\""));
        assert!(!has("\"4\"") && !has("3"));
    }
}
