//! Credentials that were seen before: no round trip, and forgotten when they are revoked.

use std::{sync::Arc, time::Duration};

use service::Digest;
use tenancy::{
    ChangeFeed, TenantId,
    cache::{Evictor, NotifiedCache},
    feed::ChangeNotice,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::revoked::Revoked;
use crate::{
    error::Error,
    ids::UserId,
    scope::Scopes,
    store::{clients::Client, users::Role},
};

/// How long memory is used without asking again, even when nothing is told.
const MAX_AGE: Duration = Duration::from_secs(60);

/// A user on whose behalf something is presented.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) role: Role,
    pub(crate) created_at: OffsetDateTime,
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
    pub(crate) family: Option<Uuid>,
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

    fn is_stale(&self, revoked: &Revoked) -> bool {
        match revoked {
            Revoked::Secret(_) => false,
            Revoked::Family(family) => self.family == Some(*family),
            Revoked::User(user) => self.user.as_ref().is_some_and(|own| own.id == *user),
            Revoked::Client(client) => self.client.as_ref() == Some(client),
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
pub(crate) struct Credentials(NotifiedCache<Key, Arc<Principal>>);

impl Credentials {
    pub(crate) fn new(feed: &ChangeFeed, capacity: u64) -> Self {
        let cache: NotifiedCache<Key, Arc<Principal>> = NotifiedCache::new(feed, capacity, MAX_AGE);
        let told = cache.evictor();
        feed.subscribe(move |news| match news {
            ChangeNotice::Revoked(tenant, what) => forget(&told, *tenant, what),
            ChangeNotice::Tenant(_) => (),
            ChangeNotice::Everything => told.forget_all(),
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
        let known = self.0.get_or_load(key.0, key, load).await?;
        Ok(known.filter(|known| known.expires_at > now))
    }
}

fn forget(cache: &Evictor<Key, Arc<Principal>>, tenant: TenantId, what: &str) {
    match what.parse() {
        Ok(Revoked::Secret(digest)) => {
            cache.forget(&(tenant, CredentialKind::Token, digest));
            cache.forget(&(tenant, CredentialKind::Session, digest));
        }
        Ok(revoked) => {
            cache.forget_where(move |key, known| key.0 == tenant && known.is_stale(&revoked));
        }
        Err(()) => cache.forget_where(move |key, _| key.0 == tenant),
    }
}

/// OAuth clients, by tenant and id.
pub(crate) struct Clients(NotifiedCache<(TenantId, String), Arc<Client>>);

impl Clients {
    pub(crate) fn new(feed: &ChangeFeed, capacity: u64) -> Self {
        let cache: NotifiedCache<(TenantId, String), Arc<Client>> =
            NotifiedCache::new(feed, capacity, MAX_AGE);
        let told = cache.evictor();
        feed.subscribe(move |news| match news {
            ChangeNotice::Revoked(tenant, what) => {
                if let Ok(Revoked::Client(client)) = what.parse() {
                    told.forget(&(*tenant, client));
                }
            }
            ChangeNotice::Tenant(_) => (),
            ChangeNotice::Everything => told.forget_all(),
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
