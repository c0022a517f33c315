//! Values of which each has one spelling: ids, versions, limits. Parsers take `+1` and `01` for 1;
//! compared as characters, they are nobody's.

use std::{fmt::Display, str::FromStr};

use uuid::Uuid;

/// Parses a text that is the very one the value is written as.
pub fn parse<T: FromStr + Display>(text: &str) -> Option<T> {
    let value: T = text.parse().ok()?;
    (value.to_string() == text).then_some(value)
}

/// Parses the hyphenated form of a UUID, in either case.
#[must_use]
pub fn uuid(text: &str) -> Option<Uuid> {
    let id: Uuid = text.parse().ok()?;
    (id.hyphenated().to_string() == text.to_ascii_lowercase()).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        assert_eq!(parse::<i64>("0"), Some(0));
        assert_eq!(parse::<i64>("-7"), Some(-7));
        for odd in ["", "+1", "01", "-0", "00", " 1", "1 ", "1.0", "１"] {
            assert_eq!(parse::<i64>(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn a_uuid_is_hyphenated() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        assert!(uuid(id).is_some() && uuid(&id.to_uppercase()).is_some());
        for odd in [
            id.replace('-', ""),
            format!("{{{id}}}"),
            format!("urn:uuid:{id}"),
            format!(" {id}"),
        ] {
            assert_eq!(uuid(&odd), None, "{odd}");
        }
    }
}
