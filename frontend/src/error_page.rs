//! Every problem that leaves this service becomes a page here: the planes' and our own.
//!
//! Handlers and layers answer with problem+json; on the way out a browser is given a page that
//! says what happened and what to do. Whoever asks for JSON keeps the problem.

use axum::{
    body::to_bytes,
    extract::{FromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, Method, StatusCode, Uri, header, response::Parts, uri::PathAndQuery};
use serde::{Deserialize, Serialize};
use service::{
    Kind,
    header::elements,
    request::{ClientAddr, X_REQUEST_ID},
};

use crate::{return_to, site::Site, views::Frame, visitor::Visitor};

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
    request_id: String,
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
    let (head, body) = request.into_parts();
    let mut asked = head.clone();
    let response = next.run(Request::from_parts(head, body)).await;
    if response.status() == Kind::TenantRenamed.status() && is_problem(&response) {
        return renamed(&site, response, &asked.method, &asked.uri).await;
    }
    if !wanted || !is_problem(&response) {
        return response;
    }
    let client = ClientAddr::of(&asked, &site.network);
    asked.extensions.insert(client);
    let asker = Visitor::from_request_parts(&mut asked, &site).await.ok();
    page(&site, asker.as_ref(), response, &again).await
}

/// On to the same page of the tenant's own host as it is called now. A form is opened anew there,
/// since its proof is for the host that it was on.
async fn renamed(site: &Site, response: Response, method: &Method, asked: &Uri) -> Response {
    let (_, problem) = read(response).await;
    let slug = problem.tenant_slug.unwrap_or_default();
    let pages = site.addresses.pages_of(&site.addresses.subdomain(&slug));
    let target = asked.path_and_query().map_or("/", PathAndQuery::as_str);
    let to = format!("{pages}{target}");
    if method.is_safe() {
        Redirect::permanent(&to).into_response()
    } else {
        Redirect::to(&to).into_response()
    }
}

async fn read(response: Response) -> (Parts, ProblemView) {
    const MAX_PROBLEM: usize = 64 * 1024;
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, MAX_PROBLEM).await.unwrap_or_default();
    (parts, serde_json::from_slice(&body).unwrap_or_default())
}

async fn page(site: &Site, asker: Option<&Visitor>, response: Response, again: &str) -> Response {
    let (mut parts, problem) = read(response).await;
    let message = message_for(&problem.kind, parts.status);
    let front_page = site.front_page();
    let (link, label) = match message.way_on {
        WayOn::Home => ("/", "Go to the home page"),
        WayOn::Again => (again, "Try again"),
        WayOn::Platform => (front_page.as_str(), "Go to Tenantry"),
    };
    let view = View {
        status: parts.status.as_u16(),
        heading: message.heading,
        text: message.text,
        detail: problem.detail.filter(|_| adds_to_ours(&problem.kind)),
        link,
        label,
        request_id: request_id(&parts.headers),
    };
    let frame = frame(site, asker, &message).await;
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    let status = parts.status;
    let page = match asker {
        Some(asker) => site.page(asker, status, "error", &frame, &view),
        None => (status, site.views.plain("error", &frame, &view)).into_response(),
    };
    (parts.headers, page).into_response()
}

fn request_id(headers: &HeaderMap) -> String {
    let id = headers.get(&X_REQUEST_ID).and_then(|id| id.to_str().ok());
    id.unwrap_or("-").to_owned()
}

/// An error at a tenant is shown under its name, with a way back to it. Where the name cannot be
/// had, no other stands for it: least of all the host, which may be anybody's.
async fn frame(site: &Site, asker: Option<&Visitor>, message: &Message) -> Frame {
    let platform = Frame::platform(message.heading);
    let asker = match (asker, message.way_on) {
        (_, WayOn::Platform) => return platform.leading_to(&site.front_page()),
        (Some(asker), _) if !asker.on_platform => asker,
        _ => return platform,
    };
    match site.upstream.data.info(asker).await {
        Ok(info) if info.member.is_some() => Frame::tenant(message.heading, &info.name).signed_in(),
        Ok(info) => Frame::tenant(message.heading, &info.name),
        Err(_) => Frame::tenant(message.heading, "Workspace"),
    }
}

/// Details are written for people who use the API; these say something to everyone.
fn adds_to_ours(kind: &str) -> bool {
    [
        Kind::RateLimited,
        Kind::QuotaExceeded,
        Kind::RegistrationClosed,
    ]
    .iter()
    .any(|of| kind.ends_with(of.slug()))
}

/// The one table of what pages say, by kind and, for a kind that is not known, by status.
fn message_for(kind: &str, status: StatusCode) -> Message {
    let slug = kind.strip_prefix("/problems/").unwrap_or_default();
    let kind = Kind::ALL.iter().copied().find(|kind| kind.slug() == slug);
    let (heading, text, way_on) = match kind {
        Some(Kind::TenantNotFound) => (
            "Workspace not found",
            "There is no workspace at this URL. Check the spelling, or ask whoever sent you the \
             link.",
            WayOn::Platform,
        ),
        Some(Kind::TenantSuspended) => (
            "This workspace is suspended",
            "Nobody can sign in for now. No data has been lost. Contact the owner of the \
             workspace for help.",
            WayOn::Again,
        ),
        Some(Kind::TenantNotReady) => (
            "This workspace is not available yet",
            "It is being set up or removed. Try again in a moment.",
            WayOn::Again,
        ),
        Some(Kind::CrossSite) => (
            "This form has expired",
            "Nothing has been changed. Reload the page and try again.",
            WayOn::Again,
        ),
        Some(Kind::RegistrationClosed) => (
            "Registration is closed",
            "Nobody can sign up here without an invitation at the moment.",
            WayOn::Home,
        ),
        Some(Kind::QuotaExceeded) => (
            "Plan limit reached",
            "The plan of this workspace does not allow more. Ask an administrator to make room or \
             to change the plan.",
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
            "Page not found",
            "Check the URL. The page may have been moved or removed.",
            WayOn::Home,
        ),
        StatusCode::METHOD_NOT_ALLOWED => (
            "This page cannot be used that way",
            "Start again from the home page.",
            WayOn::Home,
        ),
        StatusCode::UNAUTHORIZED => (
            "Sign in to continue",
            "Your session may have expired.",
            WayOn::Home,
        ),
        StatusCode::FORBIDDEN => (
            "You do not have access",
            "Sign in with an account that has access, or ask an administrator.",
            WayOn::Home,
        ),
        StatusCode::REQUEST_TIMEOUT => (
            "The request took too long",
            "The connection was too slow. Try again.",
            WayOn::Again,
        ),
        StatusCode::PAYLOAD_TOO_LARGE => (
            "The request is too large",
            "Send less and try again.",
            WayOn::Again,
        ),
        StatusCode::TOO_MANY_REQUESTS => (
            "Too many requests",
            "Wait a moment, then try again.",
            WayOn::Again,
        ),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
            (
                "Temporarily unavailable",
                "The service is not responding. Try again in a moment.",
                WayOn::Again,
            )
        }
        status if status.is_server_error() => (
            "Something went wrong",
            "This is an error on our side. Try again. If it happens again, contact support and \
             give the request ID below.",
            WayOn::Again,
        ),
        _ => (
            "The request could not be read",
            "Reload the page and try again.",
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
    fn every_kind_has_a_message() {
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
