//! Principals and clients that were looked up before: no round trip, and evicted when they are revoked.

use std::{sync::Arc, time::Duration};

use service::Digest;
use tenancy::{
    ChangeFeed, ChangeNotice, Revocation, TenantId,
    cache::{Evictor, NotifiedCache},
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    error::Error,
    ids::UserId,
    scope::Scopes,
    store::{clients::Client, users::Role},
};

/// How long an entry is used without another look-up, even when no notice comes.
const MAX_AGE: Duration = Duration::from_secs(60);

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

    fn is_ended_by(&self, revocation: &Revocation) -> bool {
        match revocation {
            Revocation::Token(_) => false,
            Revocation::Authorization(id) => self.authorization == Some(*id),
            Revocation::Session(id) => self.session == Some(*id),
            Revocation::User(id) => self.user.as_ref().is_some_and(|own| own.id.as_uuid() == id),
            Revocation::Client(id) => self.client.as_ref() == Some(id),
        }
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

/// Access tokens and sessions, by tenant and digest.
pub(crate) struct PrincipalCache(NotifiedCache<Key, Arc<Principal>>);

impl PrincipalCache {
    pub(crate) fn new(feed: &ChangeFeed, capacity: u64) -> Self {
        let cache: NotifiedCache<Key, Arc<Principal>> = NotifiedCache::new(feed, capacity, MAX_AGE);
        let evictor = cache.evictor();
        feed.subscribe(move |notice| match notice {
            ChangeNotice::Revoked(tenant, revocation) => evict(&evictor, *tenant, revocation),
            ChangeNotice::Tenant(_) => (),
            ChangeNotice::Everything => evictor.forget_all(),
        });
        Self(cache)
    }

    /// What a secret stands for, if anything, at this tenant and time.
    pub(crate) async fn find(
        &self,
        key: Key,
        now: OffsetDateTime,
        load: impl Future<Output = Result<Option<Principal>, Error>>,
    ) -> Result<Option<Arc<Principal>>, Error> {
        let load = async { Ok::<_, Error>(load.await?.map(Arc::new)) };
        let principal = self.0.get_or_load(key.0, key, load).await?;
        Ok(principal.filter(|principal| principal.expires_at > now))
    }
}

fn evict(cache: &Evictor<Key, Arc<Principal>>, tenant: TenantId, revocation: &Revocation) {
    if let Revocation::Token(digest) = revocation {
        cache.forget(&(tenant, CredentialKind::Token, Digest::new(*digest)));
        return;
    }
    let revocation = revocation.clone();
    cache.forget_where(move |key, principal| key.0 == tenant && principal.is_ended_by(&revocation));
}

/// OAuth clients, by tenant and id.
pub(crate) struct Clients(NotifiedCache<(TenantId, String), Arc<Client>>);

impl Clients {
    pub(crate) fn new(feed: &ChangeFeed, capacity: u64) -> Self {
        let cache: NotifiedCache<(TenantId, String), Arc<Client>> =
            NotifiedCache::new(feed, capacity, MAX_AGE);
        let evictor = cache.evictor();
        feed.subscribe(move |notice| match notice {
            ChangeNotice::Revoked(tenant, Revocation::Client(client)) => {
                evictor.forget(&(*tenant, client.clone()));
            }
            ChangeNotice::Revoked(..) | ChangeNotice::Tenant(_) => (),
            ChangeNotice::Everything => evictor.forget_all(),
        });
        Self(cache)
    }

    /// The client of an id.
    pub(crate) async fn find(
        &self,
        tenant: TenantId,
        id: &str,
        load: impl Future<Output = Result<Option<Client>, Error>>,
    ) -> Result<Option<Arc<Client>>, Error> {
        let load = async { Ok::<_, Error>(load.await?.map(Arc::new)) };
        self.0
            .get_or_load(tenant, (tenant, id.to_owned()), load)
            .await
    }
}
