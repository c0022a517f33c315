//! Files that travel in the program: style sheets, scripts, icons, the API's description.
//!
//! Pages name them by a URL that holds their digest, so that a browser may keep them for good and
//! a new release is seen at once. The plain name works too, revalidated each time. Each is
//! compressed once, when somebody first accepts that.

use std::{
    borrow::Cow,
    io::{self, Write},
    sync::OnceLock,
};

use axum::response::{IntoResponse, Response};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderName, StatusCode, header};
use sha2::{Digest, Sha256};

use crate::{
    header::{Tags, elements, tags},
    problem::{Kind, Problem},
};

/// The product's mark, on the pages and on the API's own.
pub const MARK: &[u8] = include_bytes!("../static/mark.svg");

const IMMUTABLE: &str = "public, max-age=31536000, immutable";
const REVALIDATED: &str = "public, no-cache";

/// A file and what is known of it.
pub struct Asset {
    stem: &'static str,
    extension: &'static str,
    media_type: &'static str,
    content: Cow<'static, [u8]>,
    version: String,
    compressed: OnceLock<Option<Vec<u8>>>,
}

impl Asset {
    /// The file `{stem}.{extension}`.
    pub fn new(
        stem: &'static str,
        extension: &'static str,
        content: impl Into<Cow<'static, [u8]>>,
    ) -> Self {
        let content = content.into();
        Self {
            stem,
            extension,
            media_type: media_type(extension),
            version: URL_SAFE_NO_PAD.encode(&Sha256::digest(&content)[..9]),
            content,
            compressed: OnceLock::new(),
        }
    }

    /// Its name with its digest in it.
    #[must_use]
    pub fn versioned(&self) -> String {
        format!("{}.{}.{}", self.stem, self.version, self.extension)
    }

    fn plain(&self) -> String {
        format!("{}.{}", self.stem, self.extension)
    }

    /// The file for a request, compressed if that is accepted.
    #[must_use]
    pub fn answer(&self, headers: &HeaderMap, caching: &str) -> Response {
        let compressed = self.compressed().filter(|_| accepts_gzip(headers));
        // Two representations are two things to a cache (RFC 9110 section 8.8.3.3).
        let suffix = if compressed.is_some() { "-gzip" } else { "" };
        let opaque = format!("{}{suffix}", self.version);
        let tag = format!("\"{opaque}\"");
        let about: [(HeaderName, &str); 3] = [
            (header::ETAG, &tag),
            (header::CACHE_CONTROL, caching),
            (header::VARY, "Accept-Encoding"),
        ];
        if is_unchanged(headers, &opaque) {
            return (StatusCode::NOT_MODIFIED, about).into_response();
        }
        let media_type = [(header::CONTENT_TYPE, self.media_type)];
        match compressed {
            Some(bytes) => {
                let encoding = [(header::CONTENT_ENCODING, "gzip")];
                (about, media_type, encoding, bytes.to_vec()).into_response()
            }
            None => (about, media_type, self.content.to_vec()).into_response(),
        }
    }

    fn compressed(&self) -> Option<&[u8]> {
        let make = || {
            gzip(&self.content)
                .ok()
                .filter(|made| made.len() < self.content.len())
        };
        self.compressed.get_or_init(make).as_deref()
    }
}

/// The one of some files that a request asks for by name.
#[must_use]
pub fn serve(assets: &[Asset], name: &str, headers: &HeaderMap) -> Response {
    let found = assets.iter().find_map(|asset| match name {
        _ if name == asset.versioned() => Some(asset.answer(headers, IMMUTABLE)),
        _ if name == asset.plain() => Some(asset.answer(headers, REVALIDATED)),
        _ => None,
    });
    found.unwrap_or_else(|| Problem::new(Kind::NotFound).into_response())
}

fn media_type(extension: &str) -> &'static str {
    match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

fn gzip(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content)?;
    encoder.finish()
}

/// Whether `gzip` is listed, other than with weight 0 (RFC 9110 section 12.5.3).
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut codings = elements(headers, &header::ACCEPT_ENCODING);
    codings.any(|coding| {
        let coding = str::from_utf8(coding).unwrap_or_default();
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").map(str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("gzip") && weight != Some(Ok(0.0))
    })
}

/// Whether the browser holds this very version (RFC 9110 section 13.1.2, weak comparison).
fn is_unchanged(headers: &HeaderMap, opaque: &str) -> bool {
    match tags(headers, &header::IF_NONE_MATCH) {
        None => false,
        Some(Tags::Any) => true,
        Some(Tags::Named(held)) => held.iter().any(|held| held.opaque == opaque.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(name: &str, asked: &[(HeaderName, &str)]) -> Response {
        let assets = [Asset::new(
            "a",
            "css",
            "a { color: red }\n".repeat(99).into_bytes(),
        )];
        let headers = asked
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()));
        serve(&assets, name, &headers.collect())
    }

    #[test]
    fn a_versioned_name_is_kept_for_good_and_a_plain_one_revalidated() {
        let plain = answer("a.css", &[]);
        assert_eq!(plain.headers()[header::CACHE_CONTROL], REVALIDATED);
        let tag = plain.headers()[header::ETAG].to_str().unwrap().to_owned();
        let versioned = format!("a.{}.css", tag.trim_matches('"'));
        let kept = answer(&versioned, &[]);
        assert_eq!(kept.headers()[header::CACHE_CONTROL], IMMUTABLE);
        let held = format!("\"x\", W/{tag}");
        let again = answer("a.css", &[(header::IF_NONE_MATCH, &held)]);
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(answer("b.css", &[]).status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn it_is_compressed_for_those_who_accept_that() {
        for (accepted, encoding) in [
            ("gzip", Some("gzip")),
            ("br, gzip;q=0.5", Some("gzip")),
            ("gzip;q=0", None),
            ("br", None),
        ] {
            let answer = answer("a.css", &[(header::ACCEPT_ENCODING, accepted)]);
            let sent = answer.headers().get(header::CONTENT_ENCODING);
            assert_eq!(
                sent.map(|value| value.to_str().unwrap()),
                encoding,
                "{accepted}"
            );
            assert_eq!(answer.headers()[header::VARY], "Accept-Encoding");
        }
    }
}
