//! Callers with a bearer token (RFC 6750).

use std::{marker::PhantomData, sync::Arc};

use axum::{RequestPartsExt, extract::FromRequestParts};
use http::{HeaderValue, header, request::Parts};
use service::{
    Kind, Problem,
    authorization::{self, Bearer},
};
use tenancy::{Tenant, TenantDb};

use super::{cached::Principal, identify::Presented};
use crate::{app::App, ids::UserId, resolve::InTenant, scope::Needs};

/// A caller of the API whose token holds scope `S`.
pub(crate) struct Caller<S> {
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) db: TenantDb,
    pub(crate) principal: Arc<Principal>,
    scope: PhantomData<S>,
}

impl<S> Caller<S> {
    /// The user on whose behalf the call is made; `None` when a client acts for itself.
    pub(crate) fn user(&self) -> Option<UserId> {
        self.principal.user.as_ref().map(|user| user.id)
    }

    /// Whether the user administers the tenant and lets this token do so too.
    pub(crate) fn administers(&self) -> bool {
        self.principal.may("admin")
    }
}

impl<S: Needs> FromRequestParts<App> for Caller<S> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let InTenant { tenant, db } = parts.extract_with_state(app).await?;
        let Presented::Token(principal) = Presented::by(parts) else {
            token_of(parts)?.ok_or_else(|| unauthorized(None))?;
            return Err(invalid());
        };
        if let Some(scope) = S::SCOPE.filter(|scope| !principal.may(scope)) {
            return Err(insufficient(scope));
        }
        Ok(Self {
            tenant,
            db,
            principal,
            scope: PhantomData,
        })
    }
}

/// The token of a request's `Authorization` header, if it has one.
///
/// # Errors
/// 400 when there are two, or one without a token; 401 for another scheme.
pub(crate) fn token_of(parts: &Parts) -> Result<Option<&str>, Problem> {
    match authorization::bearer(&parts.headers) {
        Bearer::Absent => Ok(None),
        Bearer::Token(token) => Ok(Some(token)),
        Bearer::OtherScheme => Err(unauthorized(None)),
        Bearer::Malformed => Err(malformed()),
    }
}

pub(crate) fn invalid() -> Problem {
    unauthorized(Some("invalid_token"))
}

/// 401 with the challenge of RFC 6750 section 3: with an error code for a token that is not valid,
/// and without one for whoever sent none.
pub(crate) fn unauthorized(error: Option<&'static str>) -> Problem {
    let problem = Problem::new(Kind::Unauthorized);
    match error {
        Some(error) => problem
            .code(error)
            .detail("The token is invalid, expired or revoked.")
            .header(
                header::WWW_AUTHENTICATE,
                text(&format!("Bearer realm=\"tenant\", error=\"{error}\"")),
            ),
        None => problem
            .detail("Send a token: Authorization: Bearer TOKEN.")
            .header(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"tenant\""),
            ),
    }
}

/// 400 with the challenge of RFC 6750 section 3.1.
fn malformed() -> Problem {
    Problem::new(Kind::InvalidRequest)
        .detail("Send one header: Authorization: Bearer TOKEN.")
        .header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"tenant\", error=\"invalid_request\""),
        )
}

/// 403 with the challenge of RFC 6750 section 3.1.
pub(crate) fn insufficient(scope: &'static str) -> Problem {
    let challenge =
        format!("Bearer realm=\"tenant\", error=\"insufficient_scope\", scope=\"{scope}\"");
    Problem::new(Kind::InsufficientScope)
        .detail(format!("This needs a token with scope {scope}."))
        .fact("scope", scope)
        .header(header::WWW_AUTHENTICATE, text(&challenge))
}

fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
}
