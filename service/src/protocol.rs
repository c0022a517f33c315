//! Errors under the protocol's own paths, `/oauth/` and `/.well-known/`: whoever refuses, the body is
//! that of RFC 6749 section 5.2, with the members of the problem beside it.
//!
//! Clients of OAuth read `error` and take what has none for an answer. Only the outermost layer sees
//! every refusal, so that the body is made there and nowhere else.

use std::sync::Arc;

use axum::{body::Body, response::Response};
use http::{HeaderValue, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::{Kind, ProblemBody, Refusal};

/// The longest description that is sent.
const MAX_DESCRIPTION: usize = 300;

/// The body of every error under `/oauth/` and `/.well-known/`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!(
    {"error": "invalid_grant",
    "error_description": "The refresh token is unknown here, expired or revoked.",
    "type": "/problems/invalid-grant", "title": "The grant is not valid", "status": 400}
))]
pub struct OAuthErrorBody {
    /// The code, of RFC 6749, 6750, 7009 or 7591.
    pub error: String,
    /// For the developer of the client.
    pub error_description: String,
    /// The members of a problem (RFC 9457).
    #[serde(flatten)]
    pub problem: ProblemBody,
}

/// The error code of a kind of problem, where nobody chose a better one.
pub(crate) fn code(kind: Kind) -> &'static str {
    match kind {
        Kind::InvalidClient => "invalid_client",
        Kind::InvalidGrant => "invalid_grant",
        Kind::UnauthorizedClient => "unauthorized_client",
        Kind::UnsupportedGrantType => "unsupported_grant_type",
        Kind::InvalidScope => "invalid_scope",
        Kind::InvalidClientMetadata => "invalid_client_metadata",
        Kind::InvalidRedirectUri => "invalid_redirect_uri",
        Kind::InsufficientScope => "insufficient_scope",
        Kind::Unauthorized
        | Kind::Forbidden
        | Kind::CrossSite
        | Kind::TenantSuspended
        | Kind::QuotaExceeded
        | Kind::RegistrationClosed => "access_denied",
        _ => by_status(kind),
    }
}

fn by_status(kind: Kind) -> &'static str {
    match kind.status().as_u16() {
        429 | 503 => "temporarily_unavailable",
        500.. => "server_error",
        _ => "invalid_request",
    }
}

/// Whether a path is the protocol's, with or without the prefix that names a tenant.
#[must_use]
pub fn is_protocol(path: &str) -> bool {
    let named = path
        .strip_prefix("/tenants/")
        .and_then(|rest| rest.find('/').map(|at| &rest[at..]));
    [path, named.unwrap_or_default()]
        .iter()
        .any(|path| path.starts_with("/oauth/") || path.starts_with("/.well-known/"))
}

/// The same answer with the protocol's body, if it is a refusal.
pub(crate) fn refusal(mut response: Response) -> Response {
    let Some(refusal) = response.extensions_mut().remove::<Arc<Refusal>>() else {
        return response;
    };
    let body = OAuthErrorBody {
        error: refusal.code.to_owned(),
        error_description: printable(&refusal.description),
        problem: refusal.body.clone(),
    };
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    *response.body_mut() = Body::from(serde_json::to_vec(&body).unwrap_or_default());
    response
}

/// RFC 6749 section 5.2 allows `%x20-21 / %x23-5B / %x5D-7E` in a description.
fn printable(text: &str) -> String {
    let allowed = |c: char| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~');
    text.chars()
        .map(|c| if allowed(c) { c } else { '\'' })
        .take(MAX_DESCRIPTION)
        .collect()
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use http_body_util::BodyExt;

    use super::*;
    use crate::problem::Problem;

    #[test]
    fn the_protocols_paths_are_known_with_and_without_a_tenant() {
        for path in [
            "/oauth/token",
            "/.well-known/x",
            "/tenants/acme/oauth/x",
            "/tenants//oauth/x",
        ] {
            assert!(is_protocol(path), "{path}");
        }
        for path in [
            "/",
            "/oauth",
            "/api/oauth/x",
            "/tenants/info",
            "/tenants/acme/api/oauth/",
        ] {
            assert!(!is_protocol(path), "{path}");
        }
    }

    #[test]
    fn every_kind_has_a_code_of_its_status() {
        for kind in Kind::ALL {
            let expected: &[&str] = match kind.status().as_u16() {
                429 | 503 => &["temporarily_unavailable"],
                500.. => &["server_error"],
                _ => continue,
            };
            assert!(expected.contains(&code(*kind)), "{kind:?}");
        }
        assert_eq!(code(Kind::NotFound), "invalid_request");
    }

    #[tokio::test]
    async fn a_refusal_has_the_members_of_both() {
        let problem = Problem::new(Kind::RateLimited)
            .detail("Say \"no\".")
            .retry_after(3);
        let response = refusal(problem.into_response());
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "3");
        assert_eq!(response.headers()["content-type"], "application/json");
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(body["error"], "temporarily_unavailable");
        assert_eq!(body["error_description"], "Say 'no'.");
        assert_eq!(body["type"], "/problems/rate-limited");
        assert_eq!(body["detail"], "Say \"no\".");
        assert_eq!(body["status"], 429);
    }
}
