//! The API's description, generated from the handlers, and a page to browse it that needs
//! nothing from elsewhere.

use axum::{Router, middleware::map_response, response::Response};
use http::{HeaderValue, header};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

/// Serves `/openapi.json` and `/docs`, which are the same for everybody and may be kept for a minute.
pub fn routes(api: OpenApi) -> Router {
    let router: Router = SwaggerUi::new("/docs")
        .config(Config::from("/openapi.json").try_it_out_enabled(true))
        .url("/openapi.json", api)
        .into();
    router.layer(map_response(kept))
}

async fn kept(mut response: Response) -> Response {
    if response.status().is_success() {
        let minute = HeaderValue::from_static("public, max-age=60");
        response.headers_mut().insert(header::CACHE_CONTROL, minute);
    }
    response
}
