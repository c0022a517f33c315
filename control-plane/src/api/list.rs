//! `GET /tenants/list`: who is here.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use service::{Json, Kind, Problem, Query, exact, problem::ProblemBody};
use tenancy::{Hostname, Slug, Status};
use utoipa::{IntoParams, ToSchema};

use super::operator::MaybeOperator;
use crate::{
    app::ControlPlane,
    error::Error,
    store::tenants::{Filter, TenantRecord},
};

const USUAL: i64 = 50;
const MOST: i64 = 200;

/// Which tenants to list.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Search {
    /// Operators: tenants with this in slug or name.
    search: Option<String>,
    /// Operators: `active`, `suspended` or `deleting`.
    status: Option<String>,
    /// Operators: tenants on this plan.
    plan: Option<String>,
    /// 1 to 200; default 50.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 200)]
    limit: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// A tenant that chose to be listed.
#[derive(Serialize, ToSchema)]
pub(crate) struct Listed {
    #[schema(value_type = String)]
    slug: Slug,
    name: String,
    #[schema(value_type = Option<String>)]
    domain: Option<Hostname>,
}

/// A page of tenants.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page<T> {
    tenants: Vec<T>,
    /// Where to go on; `null` on the last page.
    next: Option<String>,
}

/// Lists tenants: for anyone those that chose to be listed, for operators all, with more of each.
#[utoipa::path(get, path = "/tenants/list", tag = "sign-up", params(Search),
    security((), ("operator" = [])), responses((status = 200, body = Page<Listed>,
        example = json!({"tenants": [{"slug": "acme", "name": "Acme", "domain": null}], "next": null})),
    (status = "4XX", body = ProblemBody)))]
pub(crate) async fn list(
    State(plane): State<ControlPlane>,
    MaybeOperator(operator): MaybeOperator,
    Query(search): Query<Search>,
) -> Result<Response, Error> {
    if operator.is_some() {
        return Ok(Json(all(&plane, &search).await?).into_response());
    }
    let (limit, after) = (limit(&search)?, after(&search)?);
    let found = plane
        .store()
        .listed(after.as_ref().map(Slug::as_str), limit + 1)
        .await?;
    let (found, next) = cut(found, limit);
    let tenants = found
        .into_iter()
        .map(
            |TenantRecord {
                 slug, name, domain, ..
             }| Listed { slug, name, domain },
        )
        .collect();
    Ok(Json(Page { tenants, next }).into_response())
}

/// The same for operators alone.
#[utoipa::path(get, path = "/control/v1/tenants", tag = "operators", params(Search),
    security(("operator" = [])), responses((status = 200, body = Page<TenantRecord>),
    (status = "4XX", body = ProblemBody)))]
pub(crate) async fn list_all(
    State(plane): State<ControlPlane>,
    _: super::operator::Operator,
    Query(search): Query<Search>,
) -> Result<Json<Page<TenantRecord>>, Error> {
    all(&plane, &search).await.map(Json)
}

async fn all(plane: &ControlPlane, search: &Search) -> Result<Page<TenantRecord>, Error> {
    let (limit, after) = (limit(search)?, after(search)?);
    let unknown = || Problem::new(Kind::ValidationFailed).field("status", "is not a status");
    let status = search
        .status
        .as_deref()
        .map(|text| Status::read(text).ok_or_else(unknown));
    let filter = Filter {
        status: status.transpose()?,
        plan: given(search.plan.as_deref()),
        search: given(search.search.as_deref()),
    };
    let found = plane
        .tenants(&filter, after.as_ref().map(Slug::as_str), limit + 1)
        .await?;
    let (tenants, next) = cut(found, limit);
    Ok(Page { tenants, next })
}

fn limit(search: &Search) -> Result<i64, Problem> {
    let Some(text) = search.limit.as_deref() else {
        return Ok(USUAL);
    };
    exact::parse(text)
        .filter(|limit| (1..=MOST).contains(limit))
        .ok_or_else(|| {
            Problem::new(Kind::ValidationFailed).field("limit", format!("must be 1 to {MOST}"))
        })
}

/// A page begins after the slug with which the last one ended.
fn after(search: &Search) -> Result<Option<Slug>, Problem> {
    let read = |text: &str| {
        text.parse().map_err(|_| {
            let fault = "is not a cursor of a previous page";
            Problem::new(Kind::ValidationFailed).field("cursor", fault)
        })
    };
    search.cursor.as_deref().map(read).transpose()
}

fn given(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

fn cut(mut found: Vec<TenantRecord>, limit: i64) -> (Vec<TenantRecord>, Option<String>) {
    let limit = usize::try_from(limit).unwrap_or(0);
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found
        .last()
        .filter(|_| more)
        .map(|last| last.slug.to_string());
    (found, next)
}
