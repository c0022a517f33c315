//! Fields that tell absent, null and a value apart.

use std::ops::RangeInclusive;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A field of a request's body.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Field {
    /// Not there.
    #[default]
    Absent,
    /// There, and perhaps null.
    Given(Value),
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::Given)
    }
}

/// A whole number within a range.
///
/// # Errors
/// What it must be.
pub(crate) fn integer(value: &Value, range: &RangeInclusive<i64>) -> Result<i64, String> {
    let number = value.as_i64().filter(|number| range.contains(number));
    number.ok_or_else(|| format!("must be {} to {}", range.start(), range.end()))
}
