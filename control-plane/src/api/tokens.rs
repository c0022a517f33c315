//! `/control/v1/tokens`: operators' tokens, and `/control/v1/events`: what was done to the platform.

use axum::extract::State;
use http::StatusCode;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use service::{
    Faults, Json, Kind, Patched, Problem, Query,
    body::{Created, Text},
    exact,
    problem::ProblemBody,
};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    operator::Operator,
    path::NamedToken,
    tenants::{Before, Events},
};
use crate::{
    app::ControlPlane,
    error::Error,
    store::operators::TokenRecord,
    tokens::{Lifetime, MAX_DAYS, NewToken},
};

/// Tokens of one page.
const PAGE: i64 = 100;

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!(
    {"name": "deployment", "days": 90}
))]
pub(crate) struct NewOperatorToken {
    /// Whose it is, for the record: 1 to 100 characters.
    #[serde(default)]
    #[schema(value_type = String)]
    name: Text,
    /// Days after which it ends, 1 to 3650; 90 when absent, never when `null`.
    #[serde(default)]
    #[schema(value_type = Option<u16>)]
    days: Patched<u16>,
}

impl NewOperatorToken {
    fn check(self) -> Result<NewToken, Faults> {
        let mut faults = Faults::new();
        let name = self.name.required("name", &mut faults);
        let lifetime = lifetime(self.days, &mut faults);
        match (name, lifetime) {
            (Some(name), Some(lifetime)) => Ok(NewToken { name, lifetime }),
            _ => Err(faults),
        }
    }
}

fn lifetime(days: Patched<u16>, faults: &mut Faults) -> Option<Lifetime> {
    if matches!(days, Patched::Absent) {
        return Some(Lifetime::default());
    }
    let days = days.change("days", faults)?;
    if days.is_some_and(|days| !(1..=MAX_DAYS).contains(&days)) {
        let fault = format!("must be 1 to {MAX_DAYS}, or null for a token that never ends");
        faults.add("days", fault);
        return None;
    }
    Some(days.map_or(Lifetime::Never, Lifetime::Days))
}

/// A token that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeToken {
    /// To list and revoke it by.
    #[schema(value_type = String)]
    id: Uuid,
    /// The secret, shown this once.
    token: String,
    /// Whose it is.
    name: String,
    /// When it ends; `null`: never.
    #[serde(with = "time::serde::rfc3339::option")]
    expires_at: Option<OffsetDateTime>,
}

/// Which page of tokens.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct TokenPage {
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Operators' tokens, the latest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tokens {
    tokens: Vec<TokenRecord>,
    /// Where to go on; `null` on the last page.
    next: Option<String>,
}

/// Lists operators' tokens, those that ended among them; never a secret.
#[utoipa::path(get, path = "/control/v1/tokens", tag = "operators", params(TokenPage),
    security(("operator" = [])), responses(
    (status = 200, description = "A page of tokens", body = Tokens),
    (status = "4XX", description = "Refused", body = ProblemBody)))]
pub(crate) async fn list_tokens(
    State(plane): State<ControlPlane>,
    _: Operator,
    Query(page): Query<TokenPage>,
) -> Result<Json<Tokens>, Error> {
    let after = page.cursor.as_deref().map(cursor).transpose()?;
    let mut tokens = plane.tokens(after, PAGE + 1).await?;
    let most = usize::try_from(PAGE).unwrap_or(0);
    let more = tokens.len() > most;
    tokens.truncate(most);
    let next = tokens.last().filter(|_| more);
    let next = next.map(|last| last.id.to_string());
    Ok(Json(Tokens { tokens, next }))
}

fn cursor(text: &str) -> Result<Uuid, Problem> {
    exact::uuid(text).ok_or_else(|| {
        let fault = "is not a cursor of a previous page";
        Problem::new(Kind::ValidationFailed).field("cursor", fault)
    })
}

/// Makes an operator's token, which ends after 90 days unless something else is said.
#[utoipa::path(post, path = "/control/v1/tokens", tag = "operators",
    request_body = NewOperatorToken, security(("operator" = [])), responses(
    (status = 201, description = "Made; the secret is shown this once", body = MadeToken),
    (status = "4XX", description = "Refused", body = ProblemBody)))]
pub(crate) async fn create_token(
    State(plane): State<ControlPlane>,
    operator: Operator,
    Json(new): Json<NewOperatorToken>,
) -> Result<Created<MadeToken>, Error> {
    let (secret, made) = plane.create_token(new.check()?, &operator.actor()).await?;
    Ok(Created(MadeToken {
        id: made.id,
        token: secret.expose_secret().to_owned(),
        name: made.name,
        expires_at: made.expires_at,
    }))
}

/// Revokes an operator's token, perhaps the one that is presented; it opens nothing from then on.
#[utoipa::path(delete, path = "/control/v1/tokens/{id}", tag = "operators",
    params(("id" = String, Path, description = "The token's id")),
    security(("operator" = [])), responses(
    (status = 204, description = "Revoked, now or before"),
    (status = "4XX", description = "Refused", body = ProblemBody)))]
pub(crate) async fn revoke_token(
    State(plane): State<ControlPlane>,
    operator: Operator,
    NamedToken(id): NamedToken,
) -> Result<StatusCode, Error> {
    plane.revoke_token(id, &operator.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What was done to the platform itself, its plans and operators' tokens, the latest first.
#[utoipa::path(get, path = "/control/v1/events", tag = "operators", params(Before),
    security(("operator" = [])), responses(
    (status = 200, description = "A page of events", body = Events),
    (status = "4XX", description = "Refused", body = ProblemBody)))]
pub(crate) async fn platform_events(
    State(plane): State<ControlPlane>,
    _: Operator,
    Query(page): Query<Before>,
) -> Result<Json<Events>, Error> {
    let events = plane.platform_events(page.before()?, Events::PAGE).await?;
    Ok(Json(Events::page(events)))
}
