//! `GET` or `POST /tenants/info`: what a tenant is.

use serde::Serialize;
use service::{Json, problem::ProblemBody};
use tenancy::{
    Hostname, Slug, TenantId,
    settings::{Branding, Registration},
};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{
    caller::{Shown, User, Visitor},
    ids::UserId,
    store::users::Role,
};

/// A tenant's facts: the public ones, and for a member all.
#[derive(Serialize, ToSchema)]
#[schema(example = json!(
    {"id": "0197c5a0-7e1c-7cc3-98c4-dc0c0c07398f", "name": "Acme", "slug": "acme",
    "domain": null, "registration": "open", "branding": {}}
))]
pub(crate) struct Info {
    #[schema(value_type = String)]
    id: TenantId,
    name: String,
    #[schema(value_type = String)]
    slug: Slug,
    /// The primary domain, if one is verified.
    #[schema(value_type = Option<String>)]
    domain: Option<Hostname>,
    /// `open`, `invite` or `closed`.
    #[schema(value_type = String)]
    registration: Registration,
    #[schema(value_type = Object)]
    branding: Branding,
    /// Absent for strangers.
    #[serde(flatten)]
    #[schema(inline)]
    own: Option<OwnInfo>,
}

/// What members see.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwnInfo {
    #[schema(required = false)]
    plan: String,
    #[schema(required = false)]
    status: &'static str,
    #[schema(value_type = Vec<String>, required = false)]
    domains: Vec<Hostname>,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(required = false)]
    created_at: OffsetDateTime,
    #[schema(required = false)]
    member: MemberInfo,
}

/// The member who asks: all to a session, to a token what its scopes open.
#[derive(Serialize, ToSchema)]
pub(crate) struct MemberInfo {
    id: UserId,
    /// Scope `profile`.
    #[serde(flatten)]
    #[schema(inline)]
    profile: Option<MemberProfile>,
    /// Scope `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

/// What scope `profile` opens of a member.
#[derive(Serialize, ToSchema)]
pub(crate) struct MemberProfile {
    username: String,
    role: Role,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl MemberInfo {
    fn new(user: User, shown: Shown) -> Self {
        let profile = MemberProfile {
            username: user.username,
            role: user.role,
            created_at: user.created_at,
        };
        Self {
            id: user.id,
            profile: shown.profile.then_some(profile),
            email: shown.email.then_some(user.email),
        }
    }
}

/// The tenant's public facts; all of them for a member.
#[utoipa::path(get, path = "/tenants/info", tag = "tenant",
    security((), ("session" = []), ("bearer" = [])), responses(
    (status = 200, body = Info), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn get(visitor: Visitor) -> Json<Info> {
    info(visitor)
}

/// The same by POST.
#[utoipa::path(post, path = "/tenants/info", tag = "tenant",
    security((), ("session" = []), ("bearer" = [])), responses(
    (status = 200, body = Info), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn post(visitor: Visitor) -> Json<Info> {
    info(visitor)
}

fn info(Visitor { tenant, user, .. }: Visitor) -> Json<Info> {
    let own = user.map(|(user, shown)| OwnInfo {
        plan: tenant.plan.name.clone(),
        status: tenant.status.as_str(),
        domains: tenant.domains.clone(),
        created_at: tenant.created_at,
        member: MemberInfo::new(user, shown),
    });
    Json(Info {
        id: tenant.id,
        name: tenant.name.clone(),
        slug: tenant.slug.clone(),
        domain: tenant.domains.first().cloned(),
        registration: tenant.settings.registration,
        branding: tenant.settings.branding.clone(),
        own,
    })
}
