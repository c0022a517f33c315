//! What a developer finds at the API itself: its description, a page to browse it (Swagger UI),
//! and a page for each kind of problem. Nothing is loaded from elsewhere.

mod complete;
mod page;
mod problems;
mod refusals;

use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
};

use axum::{
    Router,
    extract::Path,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use http::{HeaderMap, header};
use serde_json::json;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;

pub use complete::{Kind, complete};

use crate::{
    assets::{self, Asset},
    body::Json,
    header::elements,
};

/// Swagger UI, and what these pages add to it.
static ASSETS: LazyLock<[Asset; 5]> = LazyLock::new(|| {
    [
        Asset::new("swagger-ui", "css", vendored("swagger-ui.css")),
        Asset::new("swagger-ui", "js", vendored("swagger-ui-bundle.js")),
        Asset::new("api", "css", include_bytes!("../static/api.css").as_slice()),
        Asset::new("docs", "js", include_bytes!("../static/docs.js").as_slice()),
        Asset::new("mark", "svg", assets::MARK),
    ]
});

/// The description is the same for everybody, and changes with the version that is served.
const KEPT: &str = "public, max-age=60";

fn vendored(name: &str) -> Cow<'static, [u8]> {
    let found = utoipa_swagger_ui::serve(name, Arc::new(Config::default()));
    found
        .ok()
        .flatten()
        .map_or(Cow::Borrowed(b"".as_slice()), |file| file.bytes)
}

/// Serves `/`, `/openapi.json`, `/docs` and `/problems`.
///
/// # Errors
/// When the description cannot be written as JSON.
pub fn routes(api: &OpenApi) -> serde_json::Result<Router> {
    let description = Arc::new(Asset::new("openapi", "json", serde_json::to_vec(api)?));
    let description = move |headers: HeaderMap| {
        let description = Arc::clone(&description);
        async move { description.answer(&headers, KEPT) }
    };
    let policy = page::policy(api);
    let docs = get(async move || page::docs(&policy));
    let table = [
        ("/", get(root)),
        ("/openapi.json", get(description)),
        ("/docs", docs.clone()),
        ("/docs/", docs),
        ("/docs/{file}", get(file)),
        ("/problems", get(problems::list)),
        ("/problems/{kind}", get(problems::show)),
    ];
    let mut router = Router::new();
    for (path, methods) in table {
        #[allow(
            clippy::disallowed_methods,
            reason = "the description does not describe itself"
        )]
        {
            router = router.route(path, methods);
        }
    }
    Ok(router)
}

/// `GET /`: a browser is led to the documentation, a program is told where it is.
async fn root(headers: HeaderMap) -> Response {
    let answer = if prefers_html(&headers) {
        Redirect::to("/docs").into_response()
    } else {
        let links = json!({
            "name": "Tenantry API",
            "documentation": "/docs",
            "description": "/openapi.json",
            "problems": "/problems",
        });
        Json(links).into_response()
    };
    ([(header::VARY, "Accept")], answer).into_response()
}

async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    assets::serve(ASSETS.as_slice(), &name, &headers)
}

/// Whether the asker is a browser, which names HTML; a program names JSON or nothing.
fn prefers_html(headers: &HeaderMap) -> bool {
    elements(headers, &header::ACCEPT).any(|range| range.starts_with(b"text/html"))
}

#[cfg(test)]
mod tests;
