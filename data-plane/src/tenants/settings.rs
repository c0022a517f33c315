//! `GET` and `PUT /tenants/settings`: what the owner decides.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use service::{
    Faults, Json, Kind, Problem,
    body::{Text, json},
    problem::ProblemBody,
};
use tenancy::settings::TenantSettings;
use utoipa::ToSchema;

use crate::{
    app::App,
    caller::{Admin, Owner},
    error::Error,
    oauth::Grant,
};

/// The tenant's name and settings, whole.
#[derive(Serialize, ToSchema)]
pub(crate) struct SettingsDocument {
    /// 1 to 100 characters.
    name: String,
    /// `registration`, `listed`, `branding`, `password_policy`, `session_policy`,
    /// `token_policy`, `forbidden_grants`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    settings: TenantSettings,
}

/// The document to be. `name` stays when it is absent; a setting that is absent goes back to its
/// default.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewSettings {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: Text,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
}

/// The tenant's settings. For admins and owners.
#[utoipa::path(get, path = "/tenants/settings", tag = "tenant",
    security(("session" = []), ("bearer" = ["admin"])), responses(
    (status = 200, body = SettingsDocument), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn get(Admin(member): Admin) -> Json<SettingsDocument> {
    Json(SettingsDocument {
        name: member.tenant.name.clone(),
        settings: member.tenant.settings.clone(),
    })
}

/// Replaces the tenant's settings. For owners.
#[utoipa::path(put, path = "/tenants/settings", tag = "tenant", request_body = NewSettings,
    security(("session" = []), ("bearer" = ["admin"])), responses(
    (status = 200, body = SettingsDocument), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn put(
    State(app): State<App>,
    Owner(member): Owner,
    Json(new): Json<NewSettings>,
) -> Result<Json<SettingsDocument>, Error> {
    let mut faults = Faults::new();
    let given = new.name.optional("name", &mut faults);
    let name = given.map_or_else(|| member.tenant.name.clone(), |name| name.trim().to_owned());
    if !(1..=100).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        faults.add("name", "must have 1 to 100 printable characters");
    }
    let settings = read(new.settings)?;
    for (field, fault) in settings.faults() {
        faults.add(field, fault);
    }
    if settings
        .forbidden_grants
        .iter()
        .any(|grant| Grant::read(grant).is_none())
    {
        faults.add("forbidden_grants", "may only name grants");
    }
    faults.finish()?;
    app.registry
        .save(member.tenant.id, &name, &settings)
        .await?;
    Ok(Json(SettingsDocument { name, settings }))
}

/// Reads a document in which nothing is unknown: a misspelt setting must not be lost silently.
fn read(document: Map<String, Value>) -> Result<TenantSettings, Problem> {
    let problem = |detail: String| Problem::new(Kind::ValidationFailed).detail(detail);
    let settings: TenantSettings = json::from_value(Value::Object(document.clone()))
        .map_err(|fault| problem(format!("The settings: {fault}.")))?;
    let known = serde_json::to_value(&settings).unwrap_or_default();
    match unknown(&Value::Object(document), &known) {
        Some(key) => Err(problem(format!("There is no setting {key}."))),
        None => Ok(settings),
    }
}

fn unknown(given: &Value, known: &Value) -> Option<String> {
    let (Value::Object(given), Value::Object(known)) = (given, known) else {
        return None;
    };
    given.iter().find_map(|(key, value)| match known.get(key) {
        Some(known) => unknown(value, known).map(|inner| format!("{key}.{inner}")),
        None => Some(key.chars().take(50).collect()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(value: &Value) -> Result<TenantSettings, String> {
        let document = value.as_object().unwrap().clone();
        read(document).map_err(|problem| problem.message().to_owned())
    }

    #[test]
    fn a_partial_document_is_filled_with_defaults() {
        let settings = parsed(&json!({"listed": true, "password_policy": {}})).unwrap();
        assert!(settings.listed);
        assert_eq!(settings.password_policy.min_length, 8);
    }

    #[test]
    fn misspelt_and_mistyped_settings_are_refused() {
        for document in [
            json!({"lisetd": true}),
            json!({"branding": {"colour": "#ffffff"}}),
            json!({"registration": "everyone"}),
            json!({"password_policy": {"min_length": 1e300}}),
            json!({"password_policy": null}),
            json!({"forbidden_grants": "password"}),
        ] {
            assert!(parsed(&document).is_err(), "{document}");
        }
    }
}
