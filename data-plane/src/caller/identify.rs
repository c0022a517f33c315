//! Who asks, found once per request; the request is counted once that is known.
//!
//! Strangers do not spend the rate of those who are known: what nobody can make up (a valid token
//! or session) counts against the tenant's plan, everything else against what strangers have.

use std::sync::Arc;

use http::request::Parts;
use service::{
    Digest, Problem,
    request::{ClientAddr, ClientNetwork},
};
use tenancy::TenantDb;

use super::{
    bearer,
    cached::{CredentialKind, Principal},
    session,
};
use crate::{app::App, error::Error, store};

/// What a request shows of who sends it.
#[derive(Clone)]
pub(crate) enum Presented {
    /// No token and no session, or none that is valid here.
    Nothing,
    Token(Arc<Principal>),
    /// A session, by the digest of its secret.
    Session(Digest, Arc<Principal>),
}

impl Presented {
    /// What was found for this request.
    pub(super) fn by(parts: &Parts) -> Self {
        let found = parts.extensions.get::<Self>().cloned();
        found.unwrap_or(Self::Nothing)
    }
}

/// Finds who asks, and counts the request.
///
/// # Errors
/// 429, and those of the database.
pub(crate) async fn identify(parts: &mut Parts, app: &App, db: &TenantDb) -> Result<(), Problem> {
    let from = network_of(parts);
    let found = find(parts, app, db, from).await?;
    match found {
        Presented::Nothing => app.rates.stranger(db.tenant(), from)?,
        Presented::Token(_) | Presented::Session(..) => app.rates.known(db.tenant())?,
    }
    parts.extensions.insert(found);
    Ok(())
}

/// Where a request came from, for counting by.
pub(crate) fn network_of(parts: &Parts) -> ClientNetwork {
    let address = parts.extensions.get::<ClientAddr>().copied();
    address.unwrap_or(ClientAddr([0, 0, 0, 0].into())).network()
}

/// A token that is presented counts, good or bad; only without one is the cookie looked at.
async fn find(
    parts: &Parts,
    app: &App,
    db: &TenantDb,
    from: ClientNetwork,
) -> Result<Presented, Error> {
    let (now, tenant) = (app.clock.now(), db.tenant());
    // Whoever asks for a token says what is wrong with one that cannot be read.
    let Ok(token) = bearer::token_of(parts) else {
        return Ok(Presented::Nothing);
    };
    if let Some(token) = token {
        let digest = Digest::of(token);
        let load = async {
            app.rates.look_up(tenant, from)?;
            store::tokens::access(db, &digest, now).await
        };
        let key = (tenant.id, CredentialKind::Token, digest);
        let found = app.principals.find(key, now, load).await?;
        return Ok(found.map_or(Presented::Nothing, Presented::Token));
    }
    let Some(secret) = session::secret_of(&parts.headers, &app.addresses) else {
        return Ok(Presented::Nothing);
    };
    let digest = Digest::of(&secret);
    let load = async {
        app.rates.look_up(tenant, from)?;
        store::sessions::find(db, &digest, now).await
    };
    let key = (tenant.id, CredentialKind::Session, digest);
    let found = app.principals.find(key, now, load).await?;
    Ok(found.map_or(Presented::Nothing, |principal| {
        Presented::Session(digest, principal)
    }))
}
