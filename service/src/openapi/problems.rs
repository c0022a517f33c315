//! `/problems/{kind}`: what a problem's `type` leads to.

use std::fmt::Write;

use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header};
use serde::Serialize;

use super::{page, prefers_html};
use crate::{
    body::Json,
    explanation::Explanation,
    problem::{Kind, Problem},
};

/// A kind of problem.
#[derive(Serialize)]
struct Explained {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    meaning: &'static str,
    remedy: &'static str,
}

impl From<Kind> for Explained {
    fn from(kind: Kind) -> Self {
        let Explanation { meaning, remedy } = kind.explanation();
        Self {
            kind: format!("/problems/{}", kind.slug()),
            title: kind.title(),
            status: kind.status().as_u16(),
            meaning,
            remedy,
        }
    }
}

/// `GET /problems`: every kind.
pub(super) async fn list(headers: HeaderMap) -> Response {
    let all: Vec<Explained> = Kind::ALL.iter().map(|kind| (*kind).into()).collect();
    if !prefers_html(&headers) {
        return negotiated(Json(all));
    }
    let mut rows = String::new();
    for Explained {
        kind,
        title,
        status,
        ..
    } in &all
    {
        let _ = writeln!(
            rows,
            "<li><span class=\"status\">{status}</span> <a href=\"{kind}\">{title}</a></li>"
        );
    }
    let body = format!(
        "<article>\n<h1>Errors</h1>\n<p class=\"lead\">Every error of the API is a problem \
         document (RFC 9457) whose type is one of these.</p>\n<ul class=\"kinds\">\n{rows}</ul>\n\
         </article>\n"
    );
    negotiated(page::framed("Errors · Tenantry API", "", &body))
}

/// `GET /problems/{kind}`: one kind, as a page or as JSON.
pub(super) async fn show(
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let kind = Kind::ALL.iter().find(|kind| kind.slug() == slug);
    let explained = Explained::from(*kind.ok_or_else(|| Problem::new(Kind::NotFound))?);
    if !prefers_html(&headers) {
        return Ok(negotiated(Json(explained)));
    }
    let Explained {
        kind,
        title,
        status,
        meaning,
        remedy,
    } = explained;
    let body = format!(
        "<article>\n<p class=\"eyebrow\">Status {status}</p>\n<h1>{title}</h1>\n\
         <p class=\"lead\">{meaning}</p>\n<h2>What to do</h2>\n<p>{remedy}</p>\n\
         <h2>In a response</h2>\n\
         <pre tabindex=\"0\"><code>HTTP/1.1 {status}\nContent-Type: application/problem+json\n\n\
         {{\n  \"type\": \"{kind}\",\n  \"title\": \"{title}\",\n  \"status\": {status},\n  …\n}}\
         </code></pre>\n<p><a href=\"/problems\">All errors</a></p>\n</article>\n"
    );
    Ok(negotiated(page::framed(
        &format!("{title} · Tenantry API"),
        "",
        &body,
    )))
}

fn negotiated(answer: impl IntoResponse) -> Response {
    ([(header::VARY, "Accept")], answer).into_response()
}
