//! Every route of the control plane, readable top to bottom.

use utoipa::{
    Modify, OpenApi,
    openapi::{
        self,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{domains, inspections, list, migrations, plans, register, tenants, tokens, users},
    app::ControlPlane,
};

/// The control plane's routes.
pub(crate) fn routes() -> OpenApiRouter<ControlPlane> {
    OpenApiRouter::with_openapi(Description::openapi())
        // For anyone
        .routes(routes!(register::register, register::slug_availability))
        .routes(routes!(list::list))
        .routes(routes!(plans::offer))
        // For operators
        .routes(routes!(list::list_all, tenants::create))
        .routes(routes!(tenants::show, tenants::rename, tenants::delete))
        .routes(routes!(tenants::suspend))
        .routes(routes!(tenants::resume))
        .routes(routes!(tenants::restore))
        .routes(routes!(tenants::purge))
        .routes(routes!(tenants::put_plan))
        .routes(routes!(tenants::events))
        .routes(routes!(domains::list, domains::add))
        .routes(routes!(domains::verify))
        .routes(routes!(domains::remove))
        .routes(routes!(domains::holders))
        .routes(routes!(inspections::list, inspections::open))
        .routes(routes!(inspections::close))
        .routes(routes!(users::create))
        .routes(routes!(users::put_password))
        .routes(routes!(plans::list_plans))
        .routes(routes!(plans::edit_plan, plans::remove_plan))
        .routes(routes!(tokens::list_tokens, tokens::create_token))
        .routes(routes!(tokens::revoke_token))
        .routes(routes!(tokens::platform_events))
        .routes(routes!(migrations::status))
        .routes(routes!(migrations::run))
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Tenantry control plane"),
    modifiers(&Security),
    tags(
        (name = "sign-up", description = "Tenants signing up, and the public list"),
        (name = "operators", description = "For operators' tokens of scope `platform`")
    )
)]
struct Description;

/// How operators prove who they are.
struct Security;

impl Modify for Security {
    fn modify(&self, api: &mut openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("operator", SecurityScheme::Http(bearer));
    }
}
