//! Plans, as operators edit them and strangers choose from them.
//!
//! A change merges: what is absent stays as it is, `null` is unlimited. A new plan leaves nothing
//! but its title open, so that a limit that was forgotten does not become none.

use std::ops::RangeInclusive;

use serde::Deserialize;
use serde_json::json;
use service::{Faults, Patched, Problem, label};
use utoipa::ToSchema;

use crate::{
    app::ControlPlane,
    error::Error,
    store::plans::{Limits, Plan, PlanRecord},
};

/// What fits the database's `int`.
const SMALL: RangeInclusive<i64> = 0..=i32::MAX as i64;
/// Beyond 2^53 not every reader of JSON takes a number exactly.
const LARGE: RangeInclusive<i64> = 0..=9_007_199_254_740_991;

/// What an absent field keeps; a new plan has nothing to keep.
fn kept<T: Default>(name: &'static str, before: Option<T>, faults: &mut Faults) -> T {
    if before.is_none() {
        faults.add(name, "is required of a new plan");
    }
    before.unwrap_or_default()
}

/// The value after the change of a field that cannot be cleared.
fn replaced<T: Default>(
    field: Patched<T>,
    name: &'static str,
    before: Option<T>,
    faults: &mut Faults,
) -> T {
    match field {
        Patched::Absent => kept(name, before, faults),
        field => field.replacement(name, faults).unwrap_or_default(),
    }
}

/// A limit after the change; `None` is unlimited.
fn limit(
    field: Patched<i64>,
    name: &'static str,
    before: Option<Option<i64>>,
    range: &RangeInclusive<i64>,
    faults: &mut Faults,
) -> Option<i64> {
    if matches!(field, Patched::Absent) {
        return kept(name, before, faults);
    }
    let limit = field.change(name, faults).flatten();
    if limit.is_some_and(|limit| !range.contains(&limit)) {
        let (least, most) = (range.start(), range.end());
        let fault = format!("must be {least} to {most}, or null for unlimited");
        faults.add(name, fault);
    }
    limit
}

/// A title for people after the change; `null` makes it from the name. As of every field, its value
/// counts only where no fault was noted.
fn title(field: Patched<String>, name: &str, before: Option<&Plan>, faults: &mut Faults) -> String {
    if let (Patched::Absent, Some(before)) = (&field, before) {
        return before.title.clone();
    }
    match field.change("title", faults).flatten() {
        Some(title) => faults.check("title", label(&title, 60)).unwrap_or_default(),
        None => title_of(name),
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
    pub title: Patched<String>,
    /// Plans are listed in this order.
    #[serde(default)]
    #[schema(value_type = i64)]
    pub position: Patched<i32>,
    /// Whether a stranger may sign up on it.
    #[serde(default)]
    #[schema(value_type = bool)]
    pub self_serve: Patched<bool>,
    /// Users; `null`, here and below, is unlimited.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub max_users: Patched<i64>,
    /// OAuth clients.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub max_clients: Patched<i64>,
    /// Notes.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub max_notes: Patched<i64>,
    /// Requests a second, all of a tenant's together.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub requests_per_second: Patched<i64>,
    /// Bytes stored.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub storage_bytes: Patched<i64>,
    /// Calls of the API in a month.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub api_calls_per_month: Patched<i64>,
}

impl PlanFields {
    /// The plan as it is after the change.
    fn onto(self, name: &str, before: Option<&Plan>) -> Result<Plan, Problem> {
        let mut faults = Faults::new();
        let noted = &mut faults;
        let old = |limit: fn(&Limits) -> Option<i64>| before.map(|plan| limit(&plan.limits));
        let some = 1..=*SMALL.end();
        let limits = Limits {
            max_users: limit(
                self.max_users,
                "max_users",
                old(|l| l.max_users),
                &some,
                noted,
            ),
            max_clients: limit(
                self.max_clients,
                "max_clients",
                old(|l| l.max_clients),
                &SMALL,
                noted,
            ),
            max_notes: limit(
                self.max_notes,
                "max_notes",
                old(|l| l.max_notes),
                &SMALL,
                noted,
            ),
            requests_per_second: limit(
                self.requests_per_second,
                "requests_per_second",
                old(|l| l.requests_per_second),
                &some,
                noted,
            ),
            storage_bytes: limit(
                self.storage_bytes,
                "storage_bytes",
                old(|l| l.storage_bytes),
                &LARGE,
                noted,
            ),
            api_calls_per_month: limit(
                self.api_calls_per_month,
                "api_calls_per_month",
                old(|l| l.api_calls_per_month),
                &LARGE,
                noted,
            ),
        };
        let position = replaced(self.position, "position", before.map(|p| p.position), noted);
        if position < 0 {
            noted.add("position", "must be 0 or more");
        }
        let plan = Plan {
            name: name.to_owned(),
            title: title(self.title, name, before, noted),
            position,
            self_serve: replaced(
                self.self_serve,
                "self_serve",
                before.map(|p| p.self_serve),
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
    use serde_json::Value;

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
