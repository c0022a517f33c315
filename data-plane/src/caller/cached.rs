//! Principals and clients that were looked up before: no round trip, and evicted when they are revoked.

use std::sync::Arc;

use service::Digest;
use tenancy::{
    ChangeFeed, Dependencies, Revocation, TenantId,
    cache::{Cached, NotifiedCache},
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    error::Error,
    ids::UserId,
    scope::Scopes,
    store::{clients::Client, users::Role},
};

/// A user on whose behalf something is presented.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) role: Role,
    pub(crate) created_at: OffsetDateTime,
    /// Of the credentials under which this was looked up.
    pub(crate) credentials_version: i32,
}

/// What an access token or a session stands for.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    /// `None`: a client acts for itself.
    pub(crate) user: Option<User>,
    /// `None`: a session.
    pub(crate) client: Option<String>,
    /// As granted; [`Principal::scopes`] says what of it counts.
    pub(crate) granted: Scopes,
    /// `None`: a session.
    pub(crate) authorization: Option<Uuid>,
    /// `None`: a token.
    pub(crate) session: Option<Uuid>,
    pub(crate) issued_at: OffsetDateTime,
    pub(crate) expires_at: OffsetDateTime,
}

impl Principal {
    /// The scopes that count now: `admin` only for those who administer the tenant.
    pub(crate) fn scopes(&self) -> Scopes {
        let administers = self
            .user
            .as_ref()
            .is_some_and(|user| user.role.administers());
        let scopes = self.granted.clone();
        if administers {
            scopes
        } else {
            scopes.without("admin")
        }
    }

    /// Whether a scope counts now.
    pub(crate) fn may(&self, scope: &str) -> bool {
        let administers = || {
            self.user
                .as_ref()
                .is_some_and(|user| user.role.administers())
        };
        self.granted.holds(scope) && (scope != "admin" || administers())
    }
}

/// How a secret was presented. One kind is never taken for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum CredentialKind {
    /// As a bearer token.
    Token,
    /// In the session cookie.
    Session,
}

type Key = (TenantId, CredentialKind, Digest);

impl Cached<Key> for Principal {
    fn tenant(key: &Key) -> TenantId {
        key.0
    }

    fn depends_on(&self, (_, kind, digest): &Key) -> Dependencies {
        let token = (*kind == CredentialKind::Token).then(|| Revocation::Token(digest.to_bytes()));
        let user = self.user.as_ref();
        let all = [
            token,
            self.authorization.map(Revocation::Authorization),
            self.session.map(Revocation::Session),
            user.map(|user| Revocation::User(*user.id.as_uuid())),
            self.client.clone().map(Revocation::Client),
        ];
        Dependencies::Unrevoked(all.into_iter().flatten().collect())
    }

    fn bytes(&self) -> usize {
        let user = self.user.as_ref();
        user.map_or(0, |user| user.username.len() + user.email.len())
    }
}

/// Access tokens and sessions, by tenant and digest.
pub(crate) struct PrincipalCache(NotifiedCache<Key, Principal>);

impl PrincipalCache {
    pub(crate) fn new(feed: &ChangeFeed, capacity: u64) -> Self {
        Self(NotifiedCache::new(feed, capacity))
    }

    /// What a secret stands for, if anything, at this tenant and time.
    pub(crate) async fn find(
        &self,
        key: Key,
        now: OffsetDateTime,
        load: impl Future<Output = Result<Option<Principal>, Error>>,
    ) -> Result<Option<Arc<Principal>>, Error> {
        let principal = self.0.get_or_load(key, load).await?;
        Ok(principal.filter(|principal| principal.expires_at > now))
    }
}

impl Cached<(TenantId, String)> for Client {
    fn tenant(key: &(TenantId, String)) -> TenantId {
        key.0
    }

    fn depends_on(&self, key: &(TenantId, String)) -> Dependencies {
        Dependencies::Unrevoked(vec![Revocation::Client(key.1.clone())])
    }

    fn bytes(&self) -> usize {
        let uris = self.redirect_uris.iter().map(|uri| uri.len() + 24);
        self.name.len() + uris.sum::<usize>()
    }
}

/// OAuth clients, by tenant and id.
pub(crate) struct Clients(NotifiedCache<(TenantId, String), Client>);

impl Clients {
    pub(crate) fn new(feed: &ChangeFeed, capacity: u64) -> Self {
        Self(NotifiedCache::new(feed, capacity))
    }

    /// The client of an id.
    pub(crate) async fn find(
        &self,
        tenant: TenantId,
        id: &str,
        load: impl Future<Output = Result<Option<Client>, Error>>,
    ) -> Result<Option<Arc<Client>>, Error> {
        self.0.get_or_load((tenant, id.to_owned()), load).await
    }
}
