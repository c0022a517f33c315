//! Style sheet, script and icon, compiled in.
//!
//! Pages name them by a URL that holds their digest, so that a browser may keep them for good
//! and a new release is seen at once. The plain name works too, checked anew each time.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use service::{
    Kind, Problem,
    header::{Tags, tags},
};
use sha2::{Digest, Sha256};

struct Asset {
    stem: &'static str,
    extension: &'static str,
    media_type: &'static str,
    content: &'static [u8],
    version: String,
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        asset(
            "tenantry",
            "css",
            "text/css; charset=utf-8",
            include_bytes!("../static/tenantry.css"),
        ),
        asset(
            "forms",
            "js",
            "text/javascript; charset=utf-8",
            include_bytes!("../static/forms.js"),
        ),
        asset(
            "mark",
            "svg",
            "image/svg+xml",
            include_bytes!("../static/mark.svg"),
        ),
    ]
});

fn asset(
    stem: &'static str,
    extension: &'static str,
    media_type: &'static str,
    content: &'static [u8],
) -> Asset {
    let version = URL_SAFE_NO_PAD.encode(&Sha256::digest(content)[..9]);
    Asset {
        stem,
        extension,
        media_type,
        content,
        version,
    }
}

/// The versioned URLs, by the names that the templates use.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Links {
    css: String,
    js: String,
    icon: String,
}

impl Links {
    pub(crate) fn new() -> Self {
        let [css, js, icon] = ASSETS.each_ref().map(Asset::link);
        Self { css, js, icon }
    }
}

impl Asset {
    fn link(&self) -> String {
        format!("/static/{}", self.versioned())
    }

    fn plain(&self) -> String {
        format!("{}.{}", self.stem, self.extension)
    }

    fn versioned(&self) -> String {
        format!("{}.{}.{}", self.stem, self.version, self.extension)
    }
}

/// `GET /static/{name}`.
pub(crate) async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let keep = "public, max-age=31536000, immutable";
    let named = ASSETS.iter().find_map(|asset| match name {
        _ if name == asset.versioned() => Some((asset, keep)),
        _ if name == asset.plain() => Some((asset, "public, no-cache")),
        _ => None,
    });
    let Some((asset, caching)) = named else {
        return Problem::new(Kind::NotFound).into_response();
    };
    let tag = format!("\"{}\"", asset.version);
    let about = [
        (header::ETAG, tag),
        (header::CACHE_CONTROL, caching.to_owned()),
    ];
    if unchanged(&headers, &asset.version) {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    (
        about,
        [(header::CONTENT_TYPE, asset.media_type)],
        asset.content,
    )
        .into_response()
}

/// Whether the browser holds this very version (RFC 9110 section 13.1.2, weak comparison).
fn unchanged(headers: &HeaderMap, tag: &str) -> bool {
    match tags(headers, &header::IF_NONE_MATCH) {
        None => false,
        Some(Tags::Any) => true,
        Some(Tags::Named(held)) => held.iter().any(|held| held.opaque == tag.as_bytes()),
    }
}
