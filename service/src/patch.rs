//! JSON merge patches (RFC 7396): a field that is absent stays, `null` clears it, and a value
//! takes its place.
//!
//! Every `PATCH` body is made of [`Patched`] fields; a field that cannot be cleared is read by
//! [`Patched::replacement`], which says so under the field's name.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use crate::{body::json, faults::Faults};

/// What a merge patch says of one field. Needs `#[serde(default)]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patched<T> {
    /// Nothing: it stays.
    #[default]
    Absent,
    /// `null`: it is cleared.
    Null,
    /// Something that is no `T`, and why: kept so that all faults can be told at once.
    Wrong(String),
    /// Its new value.
    Value(T),
}

impl<T> Patched<T> {
    /// The new value of a field that can be cleared: `Some(None)` clears it.
    pub fn change(self, field: &'static str, faults: &mut Faults) -> Option<Option<T>> {
        match self {
            Self::Absent => None,
            Self::Null => Some(None),
            Self::Value(value) => Some(Some(value)),
            Self::Wrong(fault) => {
                faults.add(field, fault);
                None
            }
        }
    }

    /// The new value of a field that cannot be cleared.
    pub fn replacement(self, field: &'static str, faults: &mut Faults) -> Option<T> {
        let change = self.change(field, faults)?;
        if change.is_none() {
            faults.add(field, "cannot be null");
        }
        change
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Patched<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value.is_null() {
            return Ok(Self::Null);
        }
        Ok(
            json::from_value(value)
                .map_or_else(|fault| Self::Wrong(fault.to_string()), Self::Value),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Problem;

    #[derive(Deserialize)]
    struct Changes {
        #[serde(default)]
        name: Patched<String>,
        #[serde(default)]
        active: Patched<bool>,
    }

    fn read(text: &str) -> Changes {
        json::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn absent_null_and_value_are_told_apart() {
        let mut faults = Faults::new();
        for (text, change) in [
            ("{}", None),
            (r#"{"name":null}"#, Some(None)),
            (r#"{"name":"a"}"#, Some(Some("a".to_owned()))),
        ] {
            assert_eq!(
                read(text).name.change("name", &mut faults),
                change,
                "{text}"
            );
        }
        assert!(faults.is_empty());
    }

    #[test]
    fn every_fault_is_told_under_its_field() {
        let changes = read(r#"{"name":null,"active":"yes"}"#);
        let mut faults = Faults::new();
        assert_eq!(changes.name.replacement("name", &mut faults), None);
        assert_eq!(changes.active.replacement("active", &mut faults), None);
        let summary = Problem::from(faults).summary();
        assert!(summary.contains("name cannot be null"), "{summary}");
        assert!(summary.contains("active invalid type"), "{summary}");
    }
}
