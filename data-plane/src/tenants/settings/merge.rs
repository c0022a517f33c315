//! Merging a document of settings into what is kept (RFC 7396).
//!
//! What is kept may hold settings of a later version, which live beside ours while it is put in
//! place; they stay. What is sent may hold none that we do not know: a misspelt setting must not
//! be lost silently.

use serde_json::{Map, Value};
use service::{Faults, Problem, body::json};
use tenancy::settings::TenantSettings;

/// What `null` means.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Nulls {
    /// The setting goes back to its default, as in a merge patch.
    Remove,
    /// It is a value, where the setting takes it.
    AreValues,
}

/// Merges a document that was [`check`]ed.
pub(super) fn merge(kept: &mut Map<String, Value>, sent: &Map<String, Value>, nulls: Nulls) {
    for (key, value) in sent {
        match value {
            Value::Null if nulls == Nulls::Remove => {
                kept.remove(key);
            }
            Value::Object(inner) => {
                let mut within = match kept.remove(key) {
                    Some(Value::Object(within)) => within,
                    _ => Map::new(),
                };
                merge(&mut within, inner, nulls);
                kept.insert(key.clone(), Value::Object(within));
            }
            value => {
                kept.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Puts each setting that is there as it was read in place of what was sent for it, so that what is
/// kept is what was checked. Settings that are absent stay so, and those of a later version as they are.
///
/// # Errors
/// When the settings cannot be written as JSON.
pub(super) fn write_as_read(
    kept: &mut Map<String, Value>,
    read: &TenantSettings,
) -> Result<(), Problem> {
    let read = serde_json::to_value(read).map_err(|cause| Problem::internal(&cause))?;
    if let Value::Object(read) = read {
        replace(kept, &read);
    }
    Ok(())
}

fn replace(kept: &mut Map<String, Value>, read: &Map<String, Value>) {
    for (key, value) in kept {
        match (value, read.get(key)) {
            (Value::Object(within), Some(Value::Object(read))) => replace(within, read),
            (value, Some(read)) => value.clone_from(read),
            (_, None) => {}
        }
    }
}

/// Notes what is no setting, and what is none of its values, under its path.
pub(super) fn check(sent: &Map<String, Value>, nulls: Nulls, faults: &mut Faults) {
    let known = serde_json::to_value(TenantSettings::default()).unwrap_or_default();
    for (key, value) in sent {
        check_one(&[key], value, known.get(key), nulls, faults);
    }
}

fn check_one(
    path: &[&String],
    value: &Value,
    known: Option<&Value>,
    nulls: Nulls,
    faults: &mut Faults,
) {
    let field = || {
        let words: Vec<_> = path.iter().map(|word| word.as_str()).collect();
        words.join(".").chars().take(50).collect::<String>()
    };
    let Some(known) = known else {
        return faults.add(field(), "is no setting");
    };
    match (value, known) {
        (Value::Null, _) if nulls == Nulls::Remove => {}
        (Value::Object(inner), Value::Object(known)) => {
            for (key, value) in inner {
                let path = [path, &[key]].concat();
                check_one(&path, value, known.get(key), nulls, faults);
            }
        }
        _ => {
            if let Err(fault) = alone(path, value) {
                faults.add(field(), format!("cannot be read: {fault}"));
            }
        }
    }
}

/// Reads a document in which this is the only setting.
fn alone(path: &[&String], value: &Value) -> Result<TenantSettings, serde_json::Error> {
    let document = path.iter().rev().fold(value.clone(), |value, key| {
        Value::Object(Map::from_iter([((*key).clone(), value)]))
    });
    json::from_value(document)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_is_absent_stays_at_every_depth() {
        let mut kept = object(json!({"a": 1, "b": {"x": 1, "y": 2}, "later": {"z": 1}}));
        let sent = object(json!({"b": {"x": null, "w": 3}, "c": {"v": null}, "a": null}));
        merge(&mut kept, &sent, Nulls::Remove);
        let merged = json!({"b": {"y": 2, "w": 3}, "c": {}, "later": {"z": 1}});
        assert_eq!(Value::Object(kept.clone()), merged);
        merge(
            &mut kept,
            &object(json!({"c": {"v": null}})),
            Nulls::AreValues,
        );
        assert_eq!(kept["c"], json!({"v": null}));
    }

    #[test]
    fn what_was_read_is_what_is_kept() {
        let mut kept = object(json!({
            "registration": {"open": null}, "forbidden_grants": ["password", "password"],
            "branding": {"logo_url": null, "later": 1}, "something_new": {"a": 1},
        }));
        let read = serde_json::from_value(Value::Object(kept.clone())).unwrap();
        write_as_read(&mut kept, &read).unwrap();
        let written = json!({
            "registration": "open", "forbidden_grants": ["password"],
            "branding": {"logo_url": null, "later": 1}, "something_new": {"a": 1},
        });
        assert_eq!(Value::Object(kept), written);
    }

    #[test]
    fn what_is_no_setting_is_named() {
        for (sent, field) in [
            (json!({"lisetd": true}), "lisetd"),
            (
                json!({"branding": {"colour": "#ffffff"}}),
                "branding.colour",
            ),
            (json!({"branding": ["#ffffff"]}), "branding"),
            (json!({"registration": "everyone"}), "registration"),
            (json!({"listed": {"x": 1}}), "listed"),
            (
                json!({"password_policy": {"min_length": 1e300}}),
                "password_policy.min_length",
            ),
            (json!({"forbidden_grants": "password"}), "forbidden_grants"),
            (
                json!({"token_policy": {"access_seconds": [60]}}),
                "token_policy.access_seconds",
            ),
        ] {
            for nulls in [Nulls::Remove, Nulls::AreValues] {
                let mut faults = Faults::new();
                check(&object(sent.clone()), nulls, &mut faults);
                let summary = Problem::from(faults).summary();
                assert!(
                    summary.starts_with(&format!("{field} ")),
                    "{sent}: {summary}"
                );
            }
        }
    }

    #[test]
    fn null_is_a_default_in_a_patch_and_else_only_where_it_is_a_value() {
        for (sent, is_value) in [
            (json!({"branding": {"logo_url": null}}), true),
            (json!({"password_policy": null}), false),
            (json!({"listed": null}), false),
            (json!({"forbidden_grants": null}), false),
        ] {
            let faulty = |nulls| {
                let mut faults = Faults::new();
                check(&object(sent.clone()), nulls, &mut faults);
                !faults.is_empty()
            };
            assert!(!faulty(Nulls::Remove), "{sent}");
            assert_eq!(faulty(Nulls::AreValues), !is_value, "{sent}");
        }
    }
}
