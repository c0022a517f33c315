//! Every route of the data plane, readable top to bottom.
//!
//! Routes are added with [`routes!`] alone, so that the API's description and the isolation
//! matrix know each of them.

use utoipa::{
    Modify, OpenApi,
    openapi::{
        self,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{notes, protected, status},
    app::App,
    oauth::{clients, introspect, login, logout, register, revoke, sign_in_code, token, userinfo},
    tenants::{info, settings, stats, users},
};

/// The data plane's routes. None does anything before it knows its tenant.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Description::openapi())
        // Signing in
        .routes(routes!(register::register))
        .routes(routes!(login::login))
        .routes(routes!(sign_in_code::redeem))
        .routes(routes!(logout::logout))
        // OAuth 2.0
        .routes(routes!(token::token))
        .routes(routes!(revoke::revoke))
        .routes(routes!(introspect::introspect))
        .routes(routes!(userinfo::get, userinfo::post))
        .routes(routes!(clients::register))
        .routes(routes!(clients::list))
        .routes(routes!(clients::delete))
        // The API
        .routes(routes!(status::ping))
        .routes(routes!(status::status))
        .routes(routes!(protected::protected))
        .routes(routes!(protected::admin))
        .routes(routes!(protected::me))
        .routes(routes!(notes::list, notes::create))
        .routes(routes!(notes::get, notes::patch, notes::delete))
        // The tenant's administration
        .routes(routes!(info::get, info::post))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::get, users::patch, users::delete))
        .routes(routes!(users::put_role))
        .routes(routes!(stats::get))
        .routes(routes!(settings::get, settings::put, settings::patch))
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tenantry",
        description = "One PostgreSQL schema per tenant, an OAuth 2.0 server for each, and a \
                       control plane over them. A request names its tenant by subdomain, custom \
                       domain, header `X-Tenant-Slug` or `X-Tenant-ID`, or path prefix \
                       `/tenants/{slug}`."
    ),
    modifiers(&Security),
    tags(
        (name = "accounts", description = "Registering, signing in and out"),
        (name = "oauth", description = "OAuth 2.0"),
        (name = "api", description = "What tokens open"),
        (name = "notes", description = "The model resource"),
        (name = "tenant", description = "A tenant's administration by its members")
    )
)]
struct Description;

/// How callers prove who they are.
struct Security;

impl Modify for Security {
    fn modify(&self, api: &mut openapi::OpenApi) {
        let http = |scheme| SecurityScheme::Http(HttpBuilder::new().scheme(scheme).build());
        let cookie = ApiKey::Cookie(ApiKeyValue::new("tenantry_session"));
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("bearer", http(HttpAuthScheme::Bearer));
        components.add_security_scheme("client", http(HttpAuthScheme::Basic));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    }
}
