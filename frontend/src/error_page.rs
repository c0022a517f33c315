//! Every problem that leaves this service becomes a page here: the planes' and our own.
//!
//! Handlers and layers answer with problem+json; on the way out a browser is given a page that
//! says what happened and what to do. Whoever asks for JSON keeps the problem.

use axum::{
    body::to_bytes,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, Method, StatusCode, header, response::Parts};
use serde::{Deserialize, Serialize};
use service::{Kind, header::elements, request::X_REQUEST_ID};

use crate::{return_to, site::Site, views::Frame};

/// What a page says of a kind of problem.
struct Message {
    heading: &'static str,
    text: &'static str,
    way_on: WayOn,
}

/// Where the page's link leads.
#[derive(Clone, Copy)]
enum WayOn {
    /// The front page of the same host.
    Home,
    /// The page that was asked for, once more.
    Again,
    /// The platform's own front page.
    Platform,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ProblemView {
    #[serde(rename = "type")]
    kind: String,
    detail: Option<String>,
    tenant_slug: Option<String>,
}

#[derive(Serialize)]
struct View<'a> {
    status: u16,
    heading: &'a str,
    text: &'a str,
    detail: Option<String>,
    link: &'a str,
    label: &'a str,
    request_id: &'a str,
}

/// Turns problems into pages.
pub(crate) async fn render_problems(
    State(site): State<Site>,
    request: Request,
    next: Next,
) -> Response {
    // As a link it is read by the rules of links, by which a path may name another host.
    let again = return_to::safe(&request.uri().to_string());
    let wanted = wants_page(request.headers());
    let method = request.method().clone();
    let target = request.uri().path_and_query();
    let target = target.map_or("/", |target| target.as_str()).to_owned();
    let response = next.run(request).await;
    if response.status() == Kind::TenantRenamed.status() && is_problem(&response) {
        return renamed(&site, response, &method, &target).await;
    }
    if wanted && is_problem(&response) {
        page(&site, response, &again).await
    } else {
        response
    }
}

/// On to the same page of the tenant's own host as it is called now. A form is opened anew there,
/// since its proof is for the host that it was on.
async fn renamed(site: &Site, response: Response, method: &Method, target: &str) -> Response {
    let (_, problem) = read(response).await;
    let slug = problem.tenant_slug.unwrap_or_default();
    let pages = site.addresses.pages_of(&site.addresses.subdomain(&slug));
    let to = format!("{pages}{target}");
    if method.is_safe() {
        Redirect::permanent(&to).into_response()
    } else {
        Redirect::to(&to).into_response()
    }
}

async fn read(response: Response) -> (Parts, ProblemView) {
    const LARGEST: usize = 64 * 1024;
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, LARGEST).await.unwrap_or_default();
    (parts, serde_json::from_slice(&body).unwrap_or_default())
}

async fn page(site: &Site, response: Response, again: &str) -> Response {
    let (mut parts, problem) = read(response).await;
    let message = message_for(&problem.kind, parts.status);
    let front_page = site.front_page();
    let (link, label) = match message.way_on {
        WayOn::Home => ("/", "Go to the front page"),
        WayOn::Again => (again, "Try again"),
        WayOn::Platform => (front_page.as_str(), "Go to Tenantry"),
    };
    let request_id = parts
        .headers
        .get(&X_REQUEST_ID)
        .and_then(|id| id.to_str().ok());
    let view = View {
        status: parts.status.as_u16(),
        heading: message.heading,
        text: message.text,
        detail: problem.detail.filter(|_| adds_to_ours(&problem.kind)),
        link,
        label,
        request_id: request_id.unwrap_or("-"),
    };
    let frame = Frame::platform(message.heading);
    let Ok(html) = site.views.plain("error", &frame, &view) else {
        return (parts.status, message.heading).into_response();
    };
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    (parts.status, parts.headers, html).into_response()
}

/// Details are written for people who use the API; these say something to everyone.
fn adds_to_ours(kind: &str) -> bool {
    [Kind::RateLimited, Kind::QuotaExceeded]
        .iter()
        .any(|of| kind.ends_with(of.slug()))
}

/// The one table of what pages say, by kind and, for a kind that is not known, by status.
fn message_for(kind: &str, status: StatusCode) -> Message {
    let slug = kind.strip_prefix("/problems/").unwrap_or_default();
    let kind = Kind::ALL.iter().copied().find(|kind| kind.slug() == slug);
    let (heading, text, way_on) = match kind {
        Some(Kind::TenantNotFound) => (
            "There is nobody at this address",
            "No organisation uses this address. Check its spelling; if somebody sent you the \
             link, ask them whether it has moved.",
            WayOn::Platform,
        ),
        Some(Kind::TenantSuspended) => (
            "This organisation is suspended",
            "Nothing is lost, but nobody can sign in for now. The people who run it can ask the \
             platform's operator to open it again.",
            WayOn::Again,
        ),
        Some(Kind::TenantNotReady) => (
            "This organisation is not ready",
            "It is being set up or put away. Wait a moment, then try again.",
            WayOn::Again,
        ),
        Some(Kind::CrossSite) => (
            "This form is no longer good",
            "It was opened too long ago, or it did not come from this site. Nothing was changed. \
             Open the page anew and fill it in again.",
            WayOn::Again,
        ),
        Some(Kind::RegistrationClosed) => (
            "Registration is closed",
            "Nobody can register here unasked for now. Ask the people who run it to invite you.",
            WayOn::Home,
        ),
        Some(Kind::QuotaExceeded) => (
            "There is no room left",
            "The organisation's plan does not allow more of this. The people who run it can \
             choose a larger plan.",
            WayOn::Home,
        ),
        _ => by_status(status),
    };
    Message {
        heading,
        text,
        way_on,
    }
}

fn by_status(status: StatusCode) -> (&'static str, &'static str, WayOn) {
    match status {
        StatusCode::NOT_FOUND => (
            "There is no such page",
            "The address may be mistyped, or the page may have moved.",
            WayOn::Home,
        ),
        StatusCode::METHOD_NOT_ALLOWED => (
            "That cannot be done here",
            "This page cannot be used that way. Start again from the front page.",
            WayOn::Home,
        ),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => (
            "This is not open to you",
            "Sign in with an account that may see it, or ask the people who run this \
             organisation.",
            WayOn::Home,
        ),
        StatusCode::PAYLOAD_TOO_LARGE => (
            "That was too much at once",
            "What was sent is larger than this page takes. Send less and try again.",
            WayOn::Again,
        ),
        StatusCode::TOO_MANY_REQUESTS => (
            "A little slower, please",
            "There were many requests from you in a short time. Wait a moment, then try again.",
            WayOn::Again,
        ),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
            (
                "We cannot be reached just now",
                "A part of the platform does not answer. Nothing you did is the cause. Wait a \
             moment, then try again.",
                WayOn::Again,
            )
        }
        status if status.is_server_error() => (
            "Something went wrong on our side",
            "Nothing you did is the cause. If it happens again, tell us the request id below: it \
             finds what happened.",
            WayOn::Again,
        ),
        _ => (
            "That could not be understood",
            "The request did not arrive in a form this page reads. Open the page anew and try \
             again.",
            WayOn::Again,
        ),
    }
}

fn is_problem(response: &Response) -> bool {
    let media_type = response.headers().get(header::CONTENT_TYPE);
    media_type.is_some_and(|value| value.as_bytes().starts_with(b"application/problem+json"))
}

/// Whether the asker is content with a page: everyone who does not name JSON alone.
fn wants_page(headers: &HeaderMap) -> bool {
    let any = |word: &str| {
        elements(headers, &header::ACCEPT)
            .any(|named| std::str::from_utf8(named).is_ok_and(|named| named.contains(word)))
    };
    any("text/html") || !any("json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_words() {
        for kind in Kind::ALL {
            let message = message_for(&format!("/problems/{}", kind.slug()), kind.status());
            assert!(
                !message.heading.is_empty() && message.text.ends_with('.'),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn only_those_who_name_json_alone_keep_the_problem() {
        let wants = |accept: &'static str| {
            wants_page(&HeaderMap::from_iter([(
                header::ACCEPT,
                accept.parse().unwrap(),
            )]))
        };
        assert!(wants_page(&HeaderMap::new()));
        assert!(wants("*/*"));
        assert!(wants("text/html,application/json"));
        assert!(!wants("application/json"));
    }
}
