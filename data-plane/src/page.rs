//! Pages of a list: a limit, and a cursor that says where the last page ended.
//!
//! A cursor is opaque to clients and trusted by nobody: it only names a place to go on from.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use service::{Kind, Problem};

/// How many items a page has when nobody says.
const USUAL: i64 = 50;
/// How many a page may have.
const MOST: i64 = 200;

/// Reads `limit` from a query.
///
/// # Errors
/// 422 unless it is a number from 1 to 200.
pub(crate) fn limit(text: Option<&str>) -> Result<i64, Problem> {
    let Some(text) = text else { return Ok(USUAL) };
    text.parse()
        .ok()
        .filter(|limit| (1..=MOST).contains(limit))
        .ok_or_else(|| {
            Problem::new(Kind::ValidationFailed).field("limit", format!("must be 1 to {MOST}"))
        })
}

/// Reads `cursor` from a query.
///
/// # Errors
/// 422 when it is none of ours.
pub(crate) fn after<T: DeserializeOwned>(text: Option<&str>) -> Result<Option<T>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    bytes
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .map(Some)
        .ok_or_else(|| {
            Problem::new(Kind::ValidationFailed)
                .field("cursor", "is not one that a page ended with")
        })
}

/// Cuts off the one item more that was asked for, and makes the cursor of what is left.
pub(crate) fn cut<T, C: Serialize>(
    items: &mut Vec<T>,
    limit: i64,
    place: impl Fn(&T) -> C,
) -> Option<String> {
    let limit = usize::try_from(limit).unwrap_or(0);
    if items.len() <= limit {
        return None;
    }
    items.truncate(limit);
    let place = place(items.last()?);
    serde_json::to_vec(&place)
        .ok()
        .map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_cursors_are_checked() {
        assert_eq!(limit(None).unwrap(), USUAL);
        assert_eq!(limit(Some("200")).unwrap(), 200);
        for bad in [
            "",
            "0",
            "-1",
            "201",
            "99999999999999999999",
            "1e3",
            "ten",
            "５",
        ] {
            assert!(limit(Some(bad)).is_err(), "{bad:?}");
        }
        for bad in ["", "x", "!!", "bnVsbA==", "eyJhIjoxfQ"] {
            assert!(after::<i64>(Some(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_cursor_leads_on_from_the_last_item_shown() {
        let mut items = vec![1_i64, 2, 3];
        let next = cut(&mut items, 2, |item| *item).unwrap();
        assert_eq!(items, [1, 2]);
        assert_eq!(after::<i64>(Some(&next)).unwrap(), Some(2));
        assert_eq!(cut(&mut items, 2, |item| *item), None);
    }
}
