//! A form as a page shows it: what was entered, and what is wrong with it.
//!
//! Secrets are no part of it, so that no page can show one again.

use std::collections::BTreeMap;

use serde::Serialize;
use service::Kind;

use crate::upstream::PlaneError;

/// A form's fields, with a summary of their faults on top.
#[derive(Default, Serialize)]
pub(crate) struct FormView {
    fields: BTreeMap<&'static str, Entry>,
    /// In the order of the fields, as the eye meets them; what belongs to none comes last.
    summary: Vec<Line>,
    alert: Option<String>,
}

/// One field.
#[derive(Serialize)]
struct Entry {
    #[serde(skip)]
    place: usize,
    name: &'static str,
    label: &'static str,
    value: String,
    faults: Vec<String>,
}

/// One line of the summary; `field` is empty when no field of the form is at fault.
#[derive(Serialize)]
struct Line {
    #[serde(skip)]
    place: usize,
    field: &'static str,
    fault: String,
}

impl FormView {
    /// Adds a field. Passwords are given no value.
    pub(crate) fn field(mut self, name: &'static str, label: &'static str, value: &str) -> Self {
        let (value, place) = (value.to_owned(), self.fields.len());
        let entry = Entry {
            place,
            name,
            label,
            value,
            faults: Vec::new(),
        };
        self.fields.insert(name, entry);
        self
    }

    /// A word above the form.
    pub(crate) fn alert(mut self, text: impl Into<String>) -> Self {
        self.alert = Some(text.into());
        self
    }

    /// Puts what a plane said where it belongs: at its fields, or above the form.
    pub(crate) fn refused(mut self, refusal: &PlaneError) -> Self {
        for (name, faults) in &refusal.errors {
            for fault in faults {
                self.fault(name, fault);
            }
        }
        if refusal.errors.is_empty() {
            self.alert = Some(message(refusal));
        }
        self
    }

    /// Notes a fault of a field.
    pub(crate) fn fault(&mut self, name: &str, fault: &str) {
        let line = match self.fields.get_mut(name) {
            Some(entry) => {
                let fault = sentence(entry.label, fault);
                entry.faults.push(fault.clone());
                Line {
                    place: entry.place,
                    field: entry.name,
                    fault,
                }
            }
            None => Line {
                place: usize::MAX,
                field: "",
                fault: sentence(name, fault),
            },
        };
        let position = self
            .summary
            .partition_point(|before| before.place <= line.place);
        self.summary.insert(position, line);
    }
}

fn message(refusal: &PlaneError) -> String {
    if refusal.is(Kind::RateLimited) {
        return refusal.seconds().map_or_else(
            || "Too many requests. Try again in a moment.".to_owned(),
            |seconds| format!("Too many requests. Try again in {}.", duration(seconds)),
        );
    }
    let detail = refusal.detail.clone();
    detail.unwrap_or_else(|| "Something went wrong. Check the form and try again.".to_owned())
}

/// A wait as people say it, rounded up.
fn duration(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..60 => (seconds.max(1), "second"),
        60..3600 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3600), "hour"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// The planes say what is wrong without saying of what ("is required"); a person reads a
/// sentence.
pub(crate) fn sentence(label: &str, fault: &str) -> String {
    const VERBS: [&str; 12] = [
        "is", "must", "has", "needs", "cannot", "may", "can", "does", "should", "was", "contains",
        "belongs",
    ];
    let first = fault.split(' ').next().unwrap_or_default();
    let mut text = if VERBS.contains(&first) {
        format!("{label} {fault}")
    } else {
        capitalised(fault)
    };
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_become_sentences() {
        assert_eq!(sentence("Email", "is required"), "Email is required.");
        assert_eq!(sentence("Email", "no such domain"), "No such domain.");
        assert_eq!(sentence("Address", "Already taken!"), "Already taken!");
        assert_eq!(sentence("Email", ""), ".");
    }

    #[test]
    fn a_wait_is_rounded_up_to_a_unit_that_people_use() {
        for (seconds, text) in [
            (0, "1 second"),
            (59, "59 seconds"),
            (61, "2 minutes"),
            (3601, "2 hours"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn a_fault_stands_at_its_field_and_in_the_summary() {
        let mut form = FormView::default()
            .field("slug", "Address", "")
            .field("email", "Email", "x");
        for (field, fault) in [
            ("domain", "is taken"),
            ("email", "is no address"),
            ("slug", "?"),
        ] {
            form.fault(field, fault);
        }
        assert_eq!(form.fields["email"].faults, ["Email is no address."]);
        let lines = form
            .summary
            .iter()
            .map(|line| (line.field, line.fault.as_str()));
        let lines: Vec<_> = lines.collect();
        assert_eq!(
            lines,
            [
                ("slug", "?"),
                ("email", "Email is no address."),
                ("", "domain is taken.")
            ]
        );
    }
}
