//! Plans, as operators edit them and strangers choose from them.
//!
//! A change merges: what is absent stays as it is, `null` is unlimited. A new plan leaves nothing
//! but its title open, so that a limit that was forgotten does not become none.

use std::ops::RangeInclusive;

use serde::Deserialize;
use serde_json::{Value, json};
use service::{Faults, Problem};
use utoipa::ToSchema;

use crate::{
    app::ControlPlane,
    error::Error,
    field::{Field, integer},
    store::plans::{Limits, Plan, PlanRecord},
};

/// What fits the database's `int`.
const SMALL: RangeInclusive<i64> = 0..=i32::MAX as i64;
/// Beyond 2^53 not every reader of JSON takes a number exactly.
const LARGE: RangeInclusive<i64> = 0..=9_007_199_254_740_991;

impl Field {
    /// The value after the change; an absent field keeps `before`. Where there is a fault, it is
    /// noted and the value is none to go on with.
    fn read<T: Default>(
        self,
        name: &'static str,
        before: Option<T>,
        read: impl FnOnce(&Value) -> Result<T, String>,
        faults: &mut Faults,
    ) -> T {
        let value = match (self, before) {
            (Self::Given(value), _) => faults.check(name, read(&value)),
            (Self::Absent, Some(before)) => Some(before),
            (Self::Absent, None) => {
                faults.add(name, "is required of a new plan");
                None
            }
        };
        value.unwrap_or_default()
    }

    fn limit(
        self,
        name: &'static str,
        before: Option<Option<i64>>,
        range: &RangeInclusive<i64>,
        faults: &mut Faults,
    ) -> Option<i64> {
        let read = |value: &Value| match value {
            Value::Null => Ok(None),
            value => integer(value, range)
                .map(Some)
                .map_err(|fault| format!("{fault}, or null for unlimited")),
        };
        self.read(name, before, read, faults)
    }
}

fn flag(value: &Value) -> Result<bool, String> {
    value
        .as_bool()
        .ok_or_else(|| "must be true or false".to_owned())
}

/// A title for people; `null` makes it from the name.
fn title(value: &Value, name: &str) -> Result<String, String> {
    let title = match value {
        Value::Null => return Ok(title_of(name)),
        value => value.as_str().unwrap_or_default().trim(),
    };
    let printable = !title.chars().any(char::is_control);
    if printable && (1..=60).contains(&title.chars().count()) {
        Ok(title.to_owned())
    } else {
        Err("must have 1 to 60 printable characters".to_owned())
    }
}

/// What a plan without a title of its own is called: `free` is Free.
fn title_of(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// A plan's name: 1 to 40 of a-z, 0-9 and single inner hyphens, beginning with a letter.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=40).contains(&text.len())
        && text.bytes().all(plain)
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.contains("--")
        && !text.ends_with('-')
}

/// A change to a plan, or a new one. What is absent stays; a new plan needs all but `title`.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[schema(example = json!(
    {"title": "Team", "position": 5, "self_serve": true, "max_users": 50, "max_clients": 20,
    "max_notes": 10000, "requests_per_second": 200, "storage_bytes": 1073741824,
    "api_calls_per_month": 1000000}
))]
pub struct PlanFields {
    /// For people: 1 to 60 characters; `null` makes it from the name.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub title: Field,
    /// Plans are listed in this order.
    #[serde(default)]
    #[schema(value_type = i64)]
    pub position: Field,
    /// Whether a stranger may sign up on it.
    #[serde(default)]
    #[schema(value_type = bool)]
    pub self_serve: Field,
    /// Users; `null`, here and below, is unlimited.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub max_users: Field,
    /// OAuth clients.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub max_clients: Field,
    /// Notes.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub max_notes: Field,
    /// Requests a second, all of a tenant's together.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub requests_per_second: Field,
    /// Bytes stored.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub storage_bytes: Field,
    /// Calls of the API in a month.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub api_calls_per_month: Field,
}

impl PlanFields {
    /// The plan as it is after the change.
    fn onto(self, name: &str, before: Option<&Plan>) -> Result<Plan, Problem> {
        let mut faults = Faults::new();
        let old = before.map(|plan| &plan.limits);
        let noted = &mut faults;
        let kept = before.map_or_else(|| title_of(name), |plan| plan.title.clone());
        let title = |value: &Value| title(value, name);
        let position = |value: &Value| {
            let position = integer(value, &SMALL)?;
            i32::try_from(position).map_err(|fault| fault.to_string())
        };
        let some = 1..=*SMALL.end();
        let limits = Limits {
            max_users: self
                .max_users
                .limit("max_users", old.map(|l| l.max_users), &some, noted),
            max_clients: self.max_clients.limit(
                "max_clients",
                old.map(|l| l.max_clients),
                &SMALL,
                noted,
            ),
            max_notes: self
                .max_notes
                .limit("max_notes", old.map(|l| l.max_notes), &SMALL, noted),
            requests_per_second: self.requests_per_second.limit(
                "requests_per_second",
                old.map(|l| l.requests_per_second),
                &some,
                noted,
            ),
            storage_bytes: self.storage_bytes.limit(
                "storage_bytes",
                old.map(|l| l.storage_bytes),
                &LARGE,
                noted,
            ),
            api_calls_per_month: self.api_calls_per_month.limit(
                "api_calls_per_month",
                old.map(|l| l.api_calls_per_month),
                &LARGE,
                noted,
            ),
        };
        let plan = Plan {
            name: name.to_owned(),
            title: self.title.read("title", Some(kept), title, noted),
            position: self
                .position
                .read("position", before.map(|p| p.position), position, noted),
            self_serve: self.self_serve.read(
                "self_serve",
                before.map(|p| p.self_serve),
                flag,
                noted,
            ),
            limits,
        };
        faults.finish().map(|()| plan)
    }
}

impl ControlPlane {
    /// Every plan, in the operator's order, and how many tenants are on each.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn plans(&self) -> Result<Vec<PlanRecord>, Error> {
        self.store().plans_in_use().await
    }

    /// Changes a plan, or makes one. Tenants on it follow at once; what they have beyond its
    /// limits stays.
    ///
    /// # Errors
    /// 422 naming every field's fault; `Taken` when another makes a plan of the name just now.
    pub async fn put_plan(
        &self,
        name: &str,
        fields: PlanFields,
        actor: &str,
    ) -> Result<Plan, Error> {
        if !is_name(name) {
            let mut faults = Faults::new();
            let fault = "must have 1 to 40 of a-z, 0-9 and single inner hyphens, a letter first";
            faults.add("name", fault);
            return Err(faults.into());
        }
        let decide = |before: Option<&Plan>| Ok(fields.onto(name, before)?);
        let audit_entry = |before: Option<&Plan>, after: &Plan| {
            let action = if before.is_some() {
                "plan.changed"
            } else {
                "plan.created"
            };
            let detail = json!({ "plan": after, "before": before });
            self.audit_entry(actor, action, detail)
        };
        let plan = self.store().put_plan(name, decide, audit_entry).await?;
        tracing::info!(plan = name, actor, "plan kept");
        Ok(plan)
    }

    /// Removes a plan that no tenant is on, or ever was.
    ///
    /// # Errors
    /// `NoPlan`, `PlanInUse`.
    pub async fn remove_plan(&self, name: &str, actor: &str) -> Result<(), Error> {
        let change = self.audit_entry(actor, "plan.removed", json!({ "plan": name }));
        self.store().remove_plan(name, &change).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(value: Value) -> PlanFields {
        serde_json::from_value(value).unwrap()
    }

    fn whole() -> Value {
        json!({
            "position": 5, "self_serve": false, "max_users": 20, "max_clients": null,
            "max_notes": 0, "requests_per_second": 1, "storage_bytes": 9_007_199_254_740_991_i64,
            "api_calls_per_month": null,
        })
    }

    #[test]
    fn a_new_plan_leaves_no_limit_open() {
        let plan = fields(whole()).onto("team", None).unwrap();
        assert_eq!(
            (plan.title.as_str(), plan.limits.max_users),
            ("Team", Some(20))
        );
        for name in whole().as_object().unwrap().keys() {
            let mut without = whole();
            without.as_object_mut().unwrap().remove(name);
            let refused = fields(without).onto("team", None).unwrap_err();
            assert!(format!("{refused:?}").contains(name), "{name}");
        }
    }

    #[test]
    fn what_is_absent_stays_and_null_is_unlimited() {
        let before = fields(whole()).onto("team", None).unwrap();
        let change = json!({ "max_users": null, "title": "Teams" });
        let after = fields(change).onto("team", Some(&before)).unwrap();
        let mut wanted = before.clone();
        wanted.limits.max_users = None;
        wanted.title = "Teams".to_owned();
        assert_eq!(after, wanted);
        assert_eq!(
            fields(json!({})).onto("team", Some(&before)).unwrap(),
            before
        );
    }

    #[test]
    fn every_fault_is_named() {
        let wrong = json!({
            "title": "\n", "position": -1, "self_serve": "yes", "max_users": 0,
            "max_clients": 2_147_483_648_i64, "max_notes": 1.5, "requests_per_second": 0,
            "storage_bytes": 9_007_199_254_740_992_i64, "api_calls_per_month": "many",
        });
        let refused = fields(wrong.clone()).onto("team", None).unwrap_err();
        let text = format!("{refused:?}");
        for name in wrong.as_object().unwrap().keys() {
            assert!(text.contains(&format!("\"{name}\"")), "{name}: {text}");
        }
    }

    #[test]
    fn names_are_plain() {
        assert!(["a", "free", "team-2"].into_iter().all(is_name));
        let long = "x".repeat(41);
        for odd in [
            "", "2", "Free", "a--b", "a-", "-a", "a_b", "a b", "a\0", &long,
        ] {
            assert!(!is_name(odd), "{odd:?}");
        }
    }
}
