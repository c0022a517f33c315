//! Those who belong to a tenant, by session cookie or by a token that may administer.

use std::sync::Arc;

use axum::{RequestPartsExt, extract::FromRequestParts};
use http::{Method, request::Parts};
use service::{Digest, Kind, Problem, origin};
use tenancy::{Tenant, TenantDb};
use time::OffsetDateTime;

use super::{
    bearer,
    cached::{Principal, User},
    identify::Presented,
};
use crate::{
    app::App,
    resolve::{InTenant, host_of},
    store::users::Role,
};

/// Anyone at a tenant, and the member they are if they are one.
pub(crate) struct Visitor {
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) user: Option<(User, Shown)>,
}

/// What of a user is shown: to a session all, to a token what its scopes open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    pub(crate) profile: bool,
    pub(crate) email: bool,
}

impl Shown {
    fn by(known: &Principal) -> Self {
        let session = known.client.is_none();
        Self {
            profile: session || known.may("profile"),
            email: session || known.may("email"),
        }
    }
}

/// A user of the tenant.
pub(crate) struct Member {
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) db: TenantDb,
    pub(crate) user: User,
    /// `None`: by a token.
    pub(crate) session: Option<Session>,
}

/// The session in which a member acts.
pub(crate) struct Session {
    /// Of its secret.
    pub(crate) digest: Digest,
    pub(crate) expires_at: OffsetDateTime,
}

/// A member who administers the tenant: an admin or an owner.
pub(crate) struct Admin(pub(crate) Member);

/// A member who owns the tenant.
pub(crate) struct Owner(pub(crate) Member);

/// Whether a bearer token will do: any for a visitor, one with scope `admin` to administer.
#[derive(Clone, Copy, PartialEq)]
enum Token {
    Any,
    Administers,
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let InTenant { tenant, .. } = parts.extract_with_state(app).await?;
        let found = principal(parts, Token::Any)?;
        let user = found.and_then(|(known, _)| Some((known.user.clone()?, Shown::by(&known))));
        Ok(Self { tenant, user })
    }
}

impl FromRequestParts<App> for Member {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let InTenant { tenant, db } = parts.extract_with_state(app).await?;
        let found = principal(parts, Token::Administers)?;
        let found = found.and_then(|(known, session)| Some((known.user.clone()?, session)));
        let (user, session) = found.ok_or_else(|| {
            bearer::unauthorized(None).detail("Sign in, or send a token with scope admin.")
        })?;
        Ok(Self {
            tenant,
            db,
            user,
            session,
        })
    }
}

impl FromRequestParts<App> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let member: Member = parts.extract_with_state(app).await?;
        if member.user.role.administers() {
            Ok(Self(member))
        } else {
            Err(forbidden("an admin"))
        }
    }
}

impl FromRequestParts<App> for Owner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let member: Member = parts.extract_with_state(app).await?;
        if member.user.role == Role::Owner {
            Ok(Self(member))
        } else {
            Err(forbidden("an owner"))
        }
    }
}

fn forbidden(who: &str) -> Problem {
    Problem::new(Kind::Forbidden).detail(format!("This needs {who} of the tenant."))
}

/// Who acts, and in which session unless by a token.
type Acting = (Arc<Principal>, Option<Session>);

/// For whom a request acts. A token that is presented counts, good or bad; only without one is the
/// cookie looked at.
fn principal(parts: &Parts, token: Token) -> Result<Option<Acting>, Problem> {
    match Presented::by(parts) {
        Presented::Token(principal) => {
            if token == Token::Administers && !principal.may("admin") {
                return Err(bearer::insufficient("admin"));
            }
            Ok(Some((principal, None)))
        }
        Presented::Session(digest, principal) => {
            not_forged(parts)?;
            let session = Session {
                digest,
                expires_at: principal.expires_at,
            };
            Ok(Some((principal, Some(session))))
        }
        Presented::Nothing => match bearer::token_of(parts)? {
            Some(_) => Err(bearer::invalid()),
            None => Ok(None),
        },
    }
}

/// A cookie goes along with whatever a browser sends, so a change needs to come from here.
fn not_forged(parts: &Parts) -> Result<(), Problem> {
    if matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    origin::require_same_host(&parts.headers, host_of(parts)?.unwrap_or_default())
}
