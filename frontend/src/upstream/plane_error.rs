//! A plane's no: a problem (RFC 9457), an odd answer, or none at all.

use std::{collections::BTreeMap, fmt::Display};

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use service::Kind;

/// Why a plane did not do what it was asked.
#[derive(Debug)]
pub(crate) struct PlaneError {
    pub(crate) status: StatusCode,
    pub(crate) detail: Option<String>,
    pub(crate) errors: BTreeMap<String, Vec<String>>,
    kind: String,
    /// In seconds.
    retry_after: Option<u64>,
    renamed_to: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    #[serde(rename = "type")]
    kind: String,
    detail: Option<String>,
    errors: BTreeMap<String, Vec<String>>,
    /// With `tenant-renamed`: what the tenant is called now.
    tenant_slug: Option<String>,
}

impl PlaneError {
    /// Reads an answer that is no success. A body that is no problem leaves just the status.
    pub(crate) fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let Body {
            kind,
            detail,
            errors,
            tenant_slug,
        } = serde_json::from_slice(body).unwrap_or_default();
        let renamed = kind == problem_type(Kind::TenantRenamed) && tenant_slug.is_some();
        if !status.is_client_error() && !status.is_server_error() && !renamed {
            return Self::unreachable(&format_args!("unexpected status {status}"));
        }
        let retry_after = headers.get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        Self {
            status,
            detail,
            errors,
            kind,
            retry_after,
            renamed_to: tenant_slug.filter(|_| renamed),
        }
    }

    /// The plane did not answer, or not in a way that we understand. The cause is for the log.
    pub(crate) fn unreachable(cause: &dyn Display) -> Self {
        tracing::warn!(%cause, "a plane does not answer");
        Self {
            status: Kind::Unavailable.status(),
            detail: None,
            errors: BTreeMap::new(),
            kind: problem_type(Kind::Unavailable),
            retry_after: Some(5),
            renamed_to: None,
        }
    }

    /// Whether it is a problem of this kind.
    pub(crate) fn is(&self, kind: Kind) -> bool {
        self.kind.strip_prefix("/problems/") == Some(kind.slug())
    }

    /// In how many seconds to come back, when the plane said so.
    pub(crate) fn seconds(&self) -> Option<u64> {
        self.retry_after
    }

    /// Whether the person at the form can do something about it: other words, or patience.
    /// Everything else is a page of its own.
    pub(crate) fn concerns_the_form(&self) -> bool {
        let theirs = [
            Kind::Unauthorized,
            Kind::Conflict,
            Kind::ValidationFailed,
            Kind::IdempotencyKeyReused,
            Kind::RateLimited,
            Kind::QuotaExceeded,
        ];
        theirs.into_iter().any(|kind| self.is(kind)) || !self.errors.is_empty()
    }

    /// Puts what the plane said about coming back onto an answer of ours.
    pub(crate) fn pass_patience(&self, mut response: Response) -> Response {
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn problem_type(kind: Kind) -> String {
    format!("/problems/{}", kind.slug())
}

/// As the problem it was; a layer further out makes the page ([`crate::error_page`]).
impl IntoResponse for PlaneError {
    fn into_response(self) -> Response {
        let body = json!({
            "type": self.kind,
            "detail": self.detail,
            "tenant_slug": self.renamed_to,
        });
        let body = body.to_string();
        let media_type = [(header::CONTENT_TYPE, "application/problem+json")];
        let response = (self.status, media_type, body).into_response();
        self.pass_patience(response)
    }
}
