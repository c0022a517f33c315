//! The API's description, generated from the handlers, and a page to browse it that needs
//! nothing from elsewhere.

use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

/// Serves `/openapi.json` and `/docs`.
pub fn routes(api: OpenApi) -> Router {
    SwaggerUi::new("/docs")
        .config(Config::from("/openapi.json").try_it_out_enabled(true))
        .url("/openapi.json", api)
        .into()
}
