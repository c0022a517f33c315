//! Errors on the wire: RFC 9457 problem details with a stable `type`.
//!
//! The only errors of this product. Every kind, with its status and title, stands in one table;
//! what went wrong inside is logged and never sent. Under the protocol's own paths the same body
//! carries the members of RFC 6749 as well: [`crate::protocol`].

use std::{collections::BTreeMap, sync::Arc};

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::protocol;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $slug:literal, $status:ident, $title:literal;)*) => {
        /// Every kind of problem this product answers with.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// All kinds, for the documentation.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];

            /// The last segment of `type`.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Kind::$name => $slug,)* }
            }

            /// The HTTP status it is answered with.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self { $(Kind::$name => StatusCode::$status,)* }
            }

            /// A short summary, the same for every occurrence.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Kind::$name => $title,)* }
            }
        }
    };
}

kinds! {
    /// The request cannot be read: broken JSON, broken encoding, a missing body.
    MalformedRequest = "malformed-request", BAD_REQUEST, "The request cannot be read";
    /// No tenant is named where one is needed.
    TenantRequired = "tenant-required", BAD_REQUEST, "A tenant is required";
    /// The tenant gave up the slug that names it; `Location` says where to go.
    TenantRenamed = "tenant-renamed", PERMANENT_REDIRECT, "The tenant has been renamed";
    /// The request names two tenants.
    TenantMismatch = "tenant-mismatch", BAD_REQUEST, "The request names more than one tenant";
    /// No session, token or secret, or none that is valid here.
    Unauthorized = "unauthorized", UNAUTHORIZED, "Authentication required";
    /// Known, but not allowed.
    Forbidden = "forbidden", FORBIDDEN, "Permission denied";
    /// The token lacks a scope (RFC 6750 section 3.1).
    InsufficientScope = "insufficient-scope", FORBIDDEN, "The token lacks a scope";
    /// A cookie call that another site may have caused.
    CrossSite = "cross-site-request", FORBIDDEN, "The request came from another site";
    /// The tenant is suspended.
    TenantSuspended = "tenant-suspended", FORBIDDEN, "This tenant is suspended";
    /// The plan allows no more of this.
    QuotaExceeded = "quota-exceeded", FORBIDDEN, "Plan limit reached";
    /// Sign-up or registration is closed.
    RegistrationClosed = "registration-closed", FORBIDDEN, "Registration is closed";
    /// Nothing of that name here.
    NotFound = "not-found", NOT_FOUND, "Not found";
    /// No such tenant.
    TenantNotFound = "tenant-not-found", NOT_FOUND, "Tenant not found";
    /// The path exists, the method does not.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "Method not allowed";
    /// The client took too long to send its request.
    RequestTimeout = "request-timeout", REQUEST_TIMEOUT, "The request timed out";
    /// Something of that name exists already.
    Conflict = "conflict", CONFLICT, "Conflict";
    /// The body is over the limit.
    BodyTooLarge = "body-too-large", PAYLOAD_TOO_LARGE, "The request body is too large";
    /// The body is of a type this endpoint does not read.
    UnsupportedMediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE,
        "Unsupported media type";
    /// The resource changed since the caller saw it (RFC 9110 section 13.1.1).
    PreconditionFailed = "precondition-failed", PRECONDITION_FAILED, "The resource has changed";
    /// RFC 6749 section 5.2: a parameter is missing, twice there or not readable.
    InvalidRequest = "invalid-request", BAD_REQUEST, "The request is not valid";
    /// RFC 6749 section 5.2: the client is unknown, or its authentication failed.
    InvalidClient = "invalid-client", UNAUTHORIZED, "The client could not be authenticated";
    /// RFC 6749 section 5.2: what was presented for a token is not valid here.
    InvalidGrant = "invalid-grant", BAD_REQUEST, "The grant is not valid";
    /// RFC 6749 section 5.2: the client may not do this.
    UnauthorizedClient = "unauthorized-client", BAD_REQUEST, "The client may not do this";
    /// RFC 6749 section 5.2: there is no such grant.
    UnsupportedGrantType = "unsupported-grant-type", BAD_REQUEST,
        "The grant type is not supported";
    /// RFC 6749 section 5.2: a scope is unknown or more than may be had.
    InvalidScope = "invalid-scope", BAD_REQUEST, "The scope is not valid";
    /// RFC 7591 section 3.2.2: a client cannot be registered so.
    InvalidClientMetadata = "invalid-client-metadata", BAD_REQUEST,
        "The client's metadata are not valid";
    /// RFC 7591 section 3.2.2: a redirect URI cannot be registered.
    InvalidRedirectUri = "invalid-redirect-uri", BAD_REQUEST, "A redirect URI is not valid";
    /// Readable, but some fields are wrong.
    ValidationFailed = "validation-failed", UNPROCESSABLE_ENTITY, "Some fields are not valid";
    /// The same idempotency key came with another request.
    IdempotencyKeyReused = "idempotency-key-reused", UNPROCESSABLE_ENTITY,
        "The idempotency key was used for another request";
    /// The change needs an `If-Match` header (RFC 6585 section 3).
    PreconditionRequired = "precondition-required", PRECONDITION_REQUIRED,
        "The change needs an If-Match header";
    /// Too many requests (RFC 6585 section 4).
    RateLimited = "rate-limited", TOO_MANY_REQUESTS, "Too many requests";
    /// A fault of this product; the log knows more.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Internal server error";
    /// The tenant is being made or taken away.
    TenantNotReady = "tenant-not-ready", SERVICE_UNAVAILABLE, "This tenant is not ready";
    /// A part this service needs does not answer.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Temporarily unavailable";
}

/// A problem on its way to the wire.
#[derive(Debug)]
pub struct Problem {
    kind: Kind,
    code: Option<&'static str>,
    detail: Option<String>,
    errors: BTreeMap<String, Vec<String>>,
    extras: serde_json::Map<String, serde_json::Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The body of every error, after RFC 9457.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!(
    {"type": "/problems/validation-failed", "title": "Some fields are not valid", "status": 422,
    "errors": {"title": ["is required"]}, "request_id": "0197c5a0-7e1c-7cc3-98c4-dc0c0c07398f"}
))]
pub struct ProblemBody {
    /// Stable name of the kind, for example `/problems/tenant-not-found`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Summary of the kind.
    pub title: String,
    /// The HTTP status, again.
    pub status: u16,
    /// What went wrong this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Faults by field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, Vec<String>>,
    /// The request's id, the same as in `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Facts of the kind, such as quota, limit and use.
    #[serde(flatten)]
    #[schema(ignore)]
    pub extras: serde_json::Map<String, serde_json::Value>,
}

impl Problem {
    /// A problem of a kind.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            code: None,
            detail: None,
            errors: BTreeMap::new(),
            extras: serde_json::Map::new(),
            headers: Vec::new(),
        }
    }

    /// A fault of ours: logged with its cause, answered without it.
    #[must_use]
    #[track_caller]
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, at = %std::panic::Location::caller(), "internal error");
        Self::new(Kind::Internal).detail("Report the request_id if this happens again.")
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The error code of a protocol, where the kind alone does not say it.
    #[must_use]
    pub fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// What went wrong this time, for a person.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The text of [`detail`](Self::detail), or the kind's title without one.
    #[must_use]
    pub fn message(&self) -> &str {
        self.detail.as_deref().unwrap_or_else(|| self.kind.title())
    }

    /// [`message`](Self::message) with the faults of every field, for a terminal.
    #[must_use]
    pub fn summary(&self) -> String {
        let faults =
            |(field, faults): (&String, &Vec<String>)| format!("{field} {}", faults.join(", "));
        let fields: Vec<String> = self.errors.iter().map(faults).collect();
        if fields.is_empty() {
            self.message().to_owned()
        } else {
            fields.join("; ")
        }
    }

    /// Faults by field.
    #[must_use]
    pub fn errors(mut self, errors: BTreeMap<String, Vec<String>>) -> Self {
        self.errors = errors;
        self
    }

    /// A fault of one field.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, fault: impl Into<String>) -> Self {
        self.errors
            .entry(field.into())
            .or_default()
            .push(fault.into());
        self
    }

    /// A fact of its own member in the body.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.extras.insert(name.to_owned(), value.into());
        self
    }

    /// A header on the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Tells the caller to come back after some seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    pub(crate) fn body(&self) -> ProblemBody {
        ProblemBody {
            kind: format!("/problems/{}", self.kind.slug()),
            title: self.kind.title().to_owned(),
            status: self.kind.status().as_u16(),
            detail: self.detail.clone(),
            errors: self.errors.clone(),
            request_id: crate::request::current_id(),
            extras: self.extras.clone(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let refusal = Refusal::new(&self);
        let body = serde_json::to_vec(&refusal.body).unwrap_or_default();
        let content_type = HeaderValue::from_static("application/problem+json");
        let mut response = (
            self.kind.status(),
            [(header::CONTENT_TYPE, content_type)],
            body,
        )
            .into_response();
        response.headers_mut().extend(self.headers);
        // For the layer that knows the path.
        response.extensions_mut().insert(Arc::new(refusal));
        response
    }
}

/// What a problem's answer says, kept beside its bytes.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) description: String,
    pub(crate) body: ProblemBody,
}

impl Refusal {
    fn new(problem: &Problem) -> Self {
        let code = problem.code.unwrap_or_else(|| protocol::code(problem.kind));
        Self {
            code,
            description: problem.summary(),
            body: problem.body(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_distinct_names_and_statuses_of_redirects_or_errors() {
        let mut slugs: Vec<_> = Kind::ALL.iter().map(|kind| kind.slug()).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), Kind::ALL.len());
        assert!(Kind::ALL.iter().all(|kind| kind.status().as_u16() >= 300));
    }

    #[test]
    fn a_problem_carries_its_faults_facts_and_headers() {
        let problem = Problem::new(Kind::QuotaExceeded)
            .detail("10 of 10 users")
            .field("username", "taken")
            .fact("quota", "users")
            .retry_after(0);
        let body = serde_json::to_value(problem.body()).unwrap();
        assert_eq!(body["type"], "/problems/quota-exceeded");
        assert_eq!(body["quota"], "users");
        assert_eq!(body["errors"]["username"][0], "taken");
        assert_eq!(problem.summary(), "username taken");
        let response = problem.into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
    }
}
