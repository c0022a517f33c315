//! Faults of a request's fields, gathered so that the caller hears of all of them at once.

use std::collections::BTreeMap;

use crate::problem::{Kind, Problem};

/// Faults by field name. A field may have several.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Faults(BTreeMap<String, Vec<String>>);

impl Faults {
    /// No faults yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a fault of a field.
    pub fn add(&mut self, field: impl Into<String>, fault: impl Into<String>) {
        self.0.entry(field.into()).or_default().push(fault.into());
    }

    /// Passes a good value on; notes the fault of a bad one.
    pub fn check<T, E: ToString>(&mut self, field: &'static str, value: Result<T, E>) -> Option<T> {
        value
            .map_err(|fault| self.add(field, fault.to_string()))
            .ok()
    }

    /// Like [`check`](Self::check) for a field that may be absent.
    pub fn check_optional<T, E: ToString>(
        &mut self,
        field: &'static str,
        value: Option<Result<T, E>>,
    ) -> Option<T> {
        value.and_then(|value| self.check(field, value))
    }

    /// Whether there is no fault.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Ends the checks.
    ///
    /// # Errors
    /// 422 `validation-failed` naming every fault, when there is one.
    pub fn finish(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(self.into())
        }
    }
}

impl From<Faults> for Problem {
    fn from(faults: Faults) -> Self {
        Problem::new(Kind::ValidationFailed)
            .detail("Some fields are not valid. See errors for details.")
            .errors(faults.0)
    }
}
