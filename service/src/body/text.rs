//! A text field of a body.

use serde::{Deserialize, Deserializer};

use crate::faults::Faults;

/// A text field that is kept even when it is missing or of the wrong type, so that its fault can
/// be told together with those of the other fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Text {
    /// Absent or null.
    #[default]
    Missing,
    /// Present, but no text.
    NotText,
    /// A text.
    Given(String),
}

impl Text {
    /// The text, or a noted fault.
    pub fn required(self, field: &'static str, faults: &mut Faults) -> Option<String> {
        match self {
            Self::Missing => faults.add(field, "is required"),
            Self::NotText => faults.add(field, "must be a string"),
            Self::Given(text) => return Some(text),
        }
        None
    }

    /// The text if there is one; a fault if there is something else.
    pub fn optional(self, field: &'static str, faults: &mut Faults) -> Option<String> {
        if self == Self::Missing {
            None
        } else {
            self.required(field, faults)
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Null => Self::Missing,
            serde_json::Value::String(text) => Self::Given(text),
            _ => Self::NotText,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Problem};

    #[test]
    fn texts_note_their_faults() {
        let mut faults = Faults::new();
        assert_eq!(Text::Missing.required("a", &mut faults), None);
        assert_eq!(Text::NotText.required("b", &mut faults), None);
        assert_eq!(Text::Missing.optional("c", &mut faults), None);
        let problem: Problem = faults.into();
        assert_eq!(problem.kind(), Kind::ValidationFailed);
        assert_eq!(problem.summary(), "a is required; b must be a string");
    }
}
