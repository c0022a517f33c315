//! Pages of a list: a limit, and a cursor that says where the last page ended.
//!
//! A cursor is opaque to clients and trusted by nobody: it only names a place to go on from. It
//! is read as exactly as a body, and is one of ours only if we would write it so.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::DeserializeOwned};
use service::{Kind, Problem, body::json, exact};
use time::OffsetDateTime;

use crate::store::budget::Page;

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
    exact::parse(text)
        .filter(|limit| (1..=MOST).contains(limit))
        .ok_or_else(|| {
            Problem::new(Kind::ValidationFailed).field("limit", format!("must be 1 to {MOST}"))
        })
}

/// Reads `cursor` from a query.
///
/// # Errors
/// 422 when it is none of ours.
pub(crate) fn after<T: Serialize + DeserializeOwned>(
    text: Option<&str>,
) -> Result<Option<T>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let read = || {
        let cursor: T = json::read(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        (written(&cursor)? == text).then_some(cursor)
    };
    read().map(Some).ok_or_else(|| {
        Problem::new(Kind::ValidationFailed).field("cursor", "is not a cursor of a previous page")
    })
}

fn written(cursor: &impl Serialize) -> Option<String> {
    let bytes = serde_json::to_vec(cursor).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

/// A time within a cursor: microseconds since 1970, which is what PostgreSQL keeps of one, in the
/// years that RFC 3339 can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) OffsetDateTime);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i128(self.0.unix_timestamp_nanos() / 1000)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let micros = i64::deserialize(deserializer)?;
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000)
            .ok()
            .filter(|time| time.year() >= 0)
            .map(Self)
            .ok_or_else(|| de::Error::custom("no time that is kept"))
    }
}

/// The cursor behind a page that PostgreSQL cut; `None` on the last one.
pub(crate) fn next<T, C: Serialize>(page: &Page<T>, place: impl Fn(&T) -> C) -> Option<String> {
    let last = page.items.last().filter(|_| page.goes_on)?;
    written(&place(last))
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
    written(&place(items.last()?))
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
            "+1",
            "01",
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
    fn a_cursor_is_one_that_we_would_write() {
        let read = |json: &str| {
            let text = URL_SAFE_NO_PAD.encode(json);
            after::<(Moment, String)>(Some(&text)).ok().flatten()
        };
        assert!(read(r#"[0,"a"]"#).is_some() && read(r#"[-1,"a"]"#).is_some());
        for odd in [
            r#"[0, "a"]"#,
            r#"[0,"\u0061"]"#,
            r#"[0,"a\u0000"]"#,
            r#"[0,"a",1]"#,
            r#"[0.0,"a"]"#,
            r#"[9223372036854775807,"a"]"#,
            r#"[-9223372036854775808,"a"]"#,
            r#"[-200000000000000000,"a"]"#,
        ] {
            assert_eq!(read(odd), None, "{odd}");
        }
        let id = "01890A5D-ac96-774b-bcce-b302099a8057";
        let text = URL_SAFE_NO_PAD.encode(format!("\"{id}\""));
        assert!(after::<uuid::Uuid>(Some(&text)).is_err());
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
