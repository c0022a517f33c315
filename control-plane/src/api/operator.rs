//! Operators: whoever holds a token of scope `platform`, made by `tenantry token create`.

use axum::extract::FromRequestParts;
use http::{HeaderMap, HeaderValue, header, request::Parts};
use service::{
    Digest, Kind, Problem,
    authorization::{self, Bearer},
};
use uuid::Uuid;

use crate::{actor::Actor, app::ControlPlane};

const SCOPE: &str = "platform";

/// An operator. Asking for one is the check.
pub(crate) struct Operator {
    /// For the record.
    pub(crate) name: String,
    /// The id of the token that was presented.
    token: Uuid,
}

impl Operator {
    /// Who asks.
    pub(crate) fn actor(&self) -> Actor<'_> {
        Actor::Operator {
            token: self.token,
            name: &self.name,
        }
    }
}

/// Anyone, and whether they are an operator. A token that is presented must be good.
pub(crate) struct MaybeOperator(pub(crate) Option<Operator>);

impl FromRequestParts<ControlPlane> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, plane: &ControlPlane) -> Result<Self, Problem> {
        let token = token(&parts.headers)?.ok_or_else(|| refused(None))?;
        find(plane, token).await
    }
}

impl FromRequestParts<ControlPlane> for MaybeOperator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, plane: &ControlPlane) -> Result<Self, Problem> {
        match token(&parts.headers)? {
            Some(token) => find(plane, token)
                .await
                .map(|operator| Self(Some(operator))),
            None => Ok(Self(None)),
        }
    }
}

async fn find(plane: &ControlPlane, token: &str) -> Result<Operator, Problem> {
    let found = plane
        .store()
        .operator(&Digest::of(token), plane.now())
        .await?;
    let found = found.ok_or_else(|| refused(Some("invalid_token")))?;
    if found.scopes.iter().any(|scope| scope == SCOPE) {
        Ok(Operator {
            name: format!("operator:{}", found.name),
            token: found.token,
        })
    } else {
        Err(insufficient())
    }
}

fn token(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    match authorization::bearer(headers) {
        Bearer::Absent => Ok(None),
        Bearer::Token(token) => Ok(Some(token)),
        Bearer::OtherScheme => Err(refused(None)),
        Bearer::Malformed => Err(Problem::new(Kind::InvalidRequest)
            .detail("Send one header: Authorization: Bearer TOKEN.")
            .header(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"platform\", error=\"invalid_request\""),
            )),
    }
}

fn refused(error: Option<&'static str>) -> Problem {
    let challenge = match error {
        Some(_) => HeaderValue::from_static("Bearer realm=\"platform\", error=\"invalid_token\""),
        None => HeaderValue::from_static("Bearer realm=\"platform\""),
    };
    Problem::new(Kind::Unauthorized)
        .detail("This needs an operator's token; `tenantry token create` makes one.")
        .header(header::WWW_AUTHENTICATE, challenge)
}

fn insufficient() -> Problem {
    let challenge = "Bearer realm=\"platform\", error=\"insufficient_scope\", scope=\"platform\"";
    Problem::new(Kind::InsufficientScope)
        .fact("scope", SCOPE)
        .header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static(challenge),
        )
}
