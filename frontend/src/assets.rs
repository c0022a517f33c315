//! Style sheet, script and icon, compiled in.

use std::sync::LazyLock;

use axum::{extract::Path, response::Response};
use http::HeaderMap;
use serde::Serialize;
use service::assets::{self, Asset};

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        Asset::new(
            "tenantry",
            "css",
            include_bytes!("../static/tenantry.css").as_slice(),
        ),
        Asset::new(
            "forms",
            "js",
            include_bytes!("../static/forms.js").as_slice(),
        ),
        Asset::new("mark", "svg", assets::MARK),
    ]
});

/// The versioned URLs, by the names that the templates use.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Links {
    css: String,
    js: String,
    icon: String,
}

impl Links {
    pub(crate) fn new() -> Self {
        let link = |asset: &Asset| format!("/static/{}", asset.versioned());
        let [css, js, icon] = ASSETS.each_ref().map(link);
        Self { css, js, icon }
    }
}

/// `GET /static/{name}`.
pub(crate) async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    assets::serve(ASSETS.as_slice(), &name, &headers)
}
