//! The frame of these pages, and the page of Swagger UI. All of it is text of our own: no part of
//! a request is shown.

use std::sync::LazyLock;

use axum::response::{Html, IntoResponse, Response};
use http::{HeaderName, HeaderValue, header};
use utoipa::openapi::OpenApi;

use super::ASSETS;

/// Scripts and style sheets are files of ours. Swagger UI has icons as `data:` images.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; \
    form-action 'none'";

const HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CACHE_CONTROL, "public, no-cache"),
];

static LINKS: LazyLock<[String; 5]> = LazyLock::new(|| {
    ASSETS
        .each_ref()
        .map(|asset| format!("/docs/{}", asset.versioned()))
});

/// The policy of the page that tries calls: it may call what the description's `servers` name, too.
pub(super) fn policy(api: &OpenApi) -> HeaderValue {
    let servers = api.servers.iter().flatten();
    let mut sources: Vec<String> = servers.filter_map(|one| source(&one.url)).collect();
    sources.sort();
    sources.dedup();
    let allowed = format!(
        "connect-src {}",
        [&["'self'".to_owned()], &sources[..]].concat().join(" ")
    );
    HeaderValue::from_str(&POLICY.replace("connect-src 'self'", &allowed))
        .unwrap_or(HeaderValue::from_static(POLICY))
}

/// The origin of a server, with `*` for a variable that is the first label of its host.
fn source(server: &str) -> Option<String> {
    let (scheme, rest) = server.split_once("://")?;
    let host = rest.split('/').next()?;
    let host = match host.strip_prefix('{') {
        Some(variable) => format!("*.{}", variable.split_once("}.")?.1),
        None => host.to_owned(),
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".:*-[]".contains(&byte);
    host.bytes()
        .all(is_plain)
        .then(|| format!("{scheme}://{host}"))
}

/// `GET /docs`.
pub(super) fn docs(policy: &HeaderValue) -> Response {
    let [swagger_css, swagger_js, _, docs_js, _] = &*LINKS;
    let head = format!(
        "<link rel=\"stylesheet\" href=\"{swagger_css}\">\n\
         <script defer src=\"{swagger_js}\"></script>\n\
         <script defer src=\"{docs_js}\"></script>\n"
    );
    let body = "<div id=\"swagger-ui\"></div>\n\
        <noscript><p>This page needs JavaScript. The same description is at \
        <a href=\"/openapi.json\">/openapi.json</a>.</p></noscript>\n";
    let mut page = framed("Tenantry API", &head, body);
    page.headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, policy.clone());
    page
}

/// A page of these.
pub(super) fn framed(title: &str, head: &str, body: &str) -> Response {
    let [_, _, css, _, mark] = &*LINKS;
    // Ours comes last: it adds to the style sheet of Swagger UI.
    let page = format!(
        "<!doctype html>\n\
         <html lang=\"en\">\n\
         <head>\n\
         <meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n\
         <link rel=\"icon\" type=\"image/svg+xml\" href=\"{mark}\">\n\
         {head}\
         <link rel=\"stylesheet\" href=\"{css}\">\n\
         </head>\n\
         <body>\n\
         <header class=\"bar\">\n\
         <a class=\"brand\" href=\"/docs\"><img src=\"{mark}\" alt=\"\" width=\"28\" \
         height=\"28\">Tenantry API</a>\n\
         <nav aria-label=\"API\"><a href=\"/problems\">Errors</a> \
         <a href=\"/openapi.json\">OpenAPI</a></nav>\n\
         </header>\n\
         <main>\n{body}</main>\n\
         </body>\n\
         </html>\n"
    );
    (HEADERS, Html(page)).into_response()
}
