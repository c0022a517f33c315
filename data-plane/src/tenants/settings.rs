//! `/tenants/settings`: what the owner decides.
//!
//! The document is guarded by an ETag. A change reads the tenant's row, is merged into it, and
//! takes its place only where the row is still the same, so that nothing that somebody else
//! writes meanwhile, an operator's rename among it, is ever written back.

mod merge;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use service::{
    Digest, Faults, Json, Kind, Patched, Problem, account::PasswordRules, body::json, label,
    problem::ProblemBody, web_url,
};
use tenancy::{Tenant, registry::Profile, settings::TenantSettings};
use utoipa::ToSchema;

use crate::{
    app::App,
    caller::{Admin, Member, Owner},
    error::Error,
    oauth::Grant,
    precondition::{etag, has_already, may_change},
};
use merge::Nulls;

/// How often a change is tried again when somebody else's came between.
const MAX_ATTEMPTS: usize = 5;

/// The most characters of a logo's URL.
const MAX_LOGO_URL: usize = 500;

/// The tenant's name and settings, whole.
#[derive(PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"name": "Acme", "registration": "open", "listed": false}))]
pub(crate) struct SettingsDocument {
    /// 1 to 100 characters.
    name: String,
    /// `registration`, `listed`, `branding`, `password_policy`, `session_policy`,
    /// `token_policy`, `forbidden_grants`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    settings: TenantSettings,
}

/// What is to be changed of the document. What is absent stays.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"name": "Acme", "registration": "invite"}))]
pub(crate) struct SettingsChanges {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: Patched<String>,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
}

impl SettingsDocument {
    /// What its ETag is made of: a digest of all that it shows.
    fn tag(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        Digest::of(&text).half().simple().to_string()
    }

    fn tagged(self) -> Response {
        ([(header::ETAG, etag(self.tag()))], Json(self)).into_response()
    }
}

/// What the tenant asks of a new password.
pub(crate) fn password_rules(tenant: &Tenant) -> PasswordRules {
    let policy = tenant.settings.password_policy;
    PasswordRules {
        min_length: policy.min_length.into(),
        min_score: policy.min_score,
    }
}

/// The tenant's settings, with their ETag. For admins and owners.
#[utoipa::path(get, path = "/tenants/settings", tag = "tenant",
    security(("session" = ["admin"]), ("bearer" = ["admin"])), params(("If-None-Match" = Option<String>, Header,
        description = "The ETag that the caller has already")), responses(
    (status = 200, body = SettingsDocument),
    (status = 304, description = "If-None-Match names this version"),
    (status = "4XX", body = ProblemBody)))]
pub(crate) async fn get(Admin(member): Admin, headers: HeaderMap) -> Response {
    let document = SettingsDocument {
        name: member.tenant.name.clone(),
        settings: member.tenant.settings.clone(),
    };
    let tag = document.tag();
    if has_already(&headers, &tag) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag(tag))]).into_response();
    }
    document.tagged()
}

/// Changes the tenant's settings: the ones that are there. `If-Match` guards against overwriting
/// another's change. For owners.
#[utoipa::path(put, path = "/tenants/settings", tag = "tenant", request_body = SettingsChanges,
    params(("If-Match" = Option<String>, Header,
        description = "The ETag that it must still have")),
    security(("session" = ["owner"]), ("bearer" = ["admin"])), responses(
    (status = 200, body = SettingsDocument), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn put(
    State(app): State<App>,
    Owner(member): Owner,
    headers: HeaderMap,
    Json(changes): Json<SettingsChanges>,
) -> Result<Response, Error> {
    change(&app, &member, &headers, changes, Nulls::AreValues).await
}

/// Changes the tenant's settings by a merge patch (RFC 7396): `null` puts a setting back to its
/// default. `If-Match` guards against overwriting another's change. For owners.
#[utoipa::path(patch, path = "/tenants/settings", tag = "tenant", request_body = SettingsChanges,
    params(("If-Match" = Option<String>, Header,
        description = "The ETag that it must still have")),
    security(("session" = ["owner"]), ("bearer" = ["admin"])), responses(
    (status = 200, body = SettingsDocument), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn patch(
    State(app): State<App>,
    Owner(member): Owner,
    headers: HeaderMap,
    Json(changes): Json<SettingsChanges>,
) -> Result<Response, Error> {
    change(&app, &member, &headers, changes, Nulls::Remove).await
}

async fn change(
    app: &App,
    member: &Member,
    headers: &HeaderMap,
    changes: SettingsChanges,
    nulls: Nulls,
) -> Result<Response, Error> {
    let mut faults = Faults::new();
    let name = changes.name.replacement("name", &mut faults);
    let name = faults.check_optional("name", name.map(|name| label(&name, 100)));
    merge::check(&changes.settings, nulls, &mut faults);
    faults.finish()?;
    let id = member.tenant.id;
    for _ in 0..MAX_ATTEMPTS {
        let kept = app.registry.profile(id).await?.ok_or(Error::NotFound)?;
        let before = document(&kept)?;
        if !may_change(headers, &before.tag()) {
            return Err(changed().into());
        }
        let mut new = kept.clone();
        new.name = name.clone().unwrap_or(new.name);
        merge::merge(&mut new.settings, &changes.settings, nulls);
        let after = document(&new)?;
        check(&after.settings)?;
        merge::write_as_read(&mut new.settings, &after.settings)?;
        if after == before || app.registry.replace_profile(id, &kept, &new).await? {
            return Ok(after.tagged());
        }
    }
    Err(Problem::new(Kind::Unavailable).retry_after(1).into())
}

fn document(kept: &Profile) -> Result<SettingsDocument, Error> {
    let settings = json::from_value(Value::Object(kept.settings.clone()));
    Ok(SettingsDocument {
        name: kept.name.clone(),
        settings: settings.map_err(tenancy::db::Error::unreadable)?,
    })
}

fn check(settings: &TenantSettings) -> Result<(), Problem> {
    let mut faults = Faults::new();
    for (field, fault) in settings.faults() {
        faults.add(field, fault);
    }
    if let Some(url) = &settings.branding.logo_url {
        faults.check("branding.logo_url", web_url::read_https(url, MAX_LOGO_URL));
    }
    let mut grants = settings.forbidden_grants.iter();
    if grants.any(|grant| Grant::read(grant).is_none()) {
        faults.add("forbidden_grants", "may only name grants");
    }
    faults.finish()
}

fn changed() -> Problem {
    Problem::new(Kind::PreconditionFailed)
        .detail("Get the settings again and look at what changed.")
}
