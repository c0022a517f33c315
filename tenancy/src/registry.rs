//! Finding a tenant: by slug, by host or by id, from memory when it was asked for before.
//!
//! Reads the shared schema `platform` as the data plane's login. Says what is there; whether a
//! tenant of that status is served is for the data plane to decide.

use std::sync::Arc;

use moka::sync::Cache;
use serde_json::{Map, Value};
use tokio_postgres::{Row, types::ToSql};

use crate::{
    cache::{Cached, NotifiedCache},
    db::{Error, LaneNumber, Params, RegistryPool, Sql},
    feed::ChangeFeed,
    names::{Hostname, Slug, TenantId},
    notice::ChangeNotice,
    revisions::Dependencies,
    statements,
    tenant::{Plan, Status, Tenant},
};

/// How a request may name a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// By slug, or by one that the tenant gave up and that is still held for it.
    Slug(Slug),
    /// By a custom domain.
    Host(Hostname),
}

/// What a tenant's owner writes of its row, as it is kept: settings of a later version included.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// For people.
    pub name: String,
    /// Those that are not at their defaults.
    pub settings: Map<String, Value>,
}

/// The tenants, as far as anybody asked for them; cheap to clone.
#[derive(Clone)]
pub struct Registry {
    pool: RegistryPool,
    names: Cache<Name, TenantId>,
    tenants: Arc<NotifiedCache<TenantId, Tenant>>,
    feed: ChangeFeed,
}

impl Cached<TenantId> for Tenant {
    fn tenant(key: &TenantId) -> TenantId {
        *key
    }

    fn depends_on(&self, _: &TenantId) -> Dependencies {
        Dependencies::Tenant
    }

    fn bytes(&self) -> usize {
        let domains = self.domains.iter().map(|domain| domain.as_str().len() + 32);
        self.settings.bytes() + domains.sum::<usize>()
    }
}

macro_rules! select_tenant {
    ($where:literal) => {
        concat!(
            "SELECT t.id, t.slug, t.name, t.schema_name, t.role_name, t.status, t.settings::text, ",
            "t.created_at, t.plan, p.max_users, p.max_clients, p.max_notes, ",
            "p.requests_per_second, p.storage_bytes, p.api_calls_per_month, ",
            "ARRAY(SELECT hostname FROM platform.domains WHERE tenant_id = t.id ",
            "AND verified_at IS NOT NULL ORDER BY verified_at, hostname) AS domains, ",
            "(SELECT lane FROM platform.tenant_roles WHERE name = t.role_name) AS lane, ",
            "ARRAY(SELECT slug FROM platform.former_slugs WHERE tenant_id = t.id) AS former_slugs ",
            "FROM platform.tenants t JOIN platform.plans p ON p.name = t.plan ",
            "WHERE t.status <> 'purged' AND ",
            $where
        )
    };
}

statements! {
    BY_ID = select_tenant!("t.id = $1");
    BY_SLUG = select_tenant!("t.slug = $1");
    BY_FORMER_SLUG = select_tenant!(
        "t.id = (SELECT tenant_id FROM platform.former_slugs WHERE slug = $1)"
    );
    BY_HOST = select_tenant!(
        "t.id = (SELECT tenant_id FROM platform.domains \
         WHERE hostname = $1 AND verified_at IS NOT NULL)"
    );
    PROFILE = "SELECT name, settings::text FROM platform.tenants \
        WHERE id = $1 AND status <> 'purged'";
    REPLACE_PROFILE = "UPDATE platform.tenants SET name = $2, settings = $3::text::jsonb \
        WHERE id = $1 AND name = $4 AND settings = $5::text::jsonb RETURNING id";
}

impl Registry {
    /// A registry that keeps at most `capacity` tenants in memory.
    #[must_use]
    pub fn new(pool: RegistryPool, feed: &ChangeFeed, capacity: u64) -> Self {
        let names = Cache::new(capacity * 2);
        let tenants = Arc::new(NotifiedCache::new(feed, capacity));
        Self {
            pool,
            names,
            tenants,
            feed: feed.clone(),
        }
    }

    /// The tenant of an id.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn by_id(&self, id: TenantId) -> Result<Option<Arc<Tenant>>, Error> {
        self.tenants
            .get_or_load(id, self.load(BY_ID, id.as_uuid()))
            .await
    }

    /// The tenant of a slug or verified custom domain. A slug that it gave up leads to it as long
    /// as it is held, and is not the tenant's `slug` then.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn by_name(&self, name: &Name) -> Result<Option<Arc<Tenant>>, Error> {
        if let Some(id) = self.names.get(name) {
            let tenant = self.by_id(id).await?;
            // A name remembered may have gone to another since; the tenant itself is never stale.
            if let Some(tenant) = tenant.filter(|tenant| goes_by(tenant, name)) {
                return Ok(Some(tenant));
            }
            self.names.invalidate(name);
        }
        let found = match name {
            Name::Slug(slug) => match self.load(BY_SLUG, &slug.as_str()).await? {
                None => self.load(BY_FORMER_SLUG, &slug.as_str()).await?,
                found => found,
            },
            Name::Host(host) => self.load(BY_HOST, &host.as_str()).await?,
        };
        let Some(tenant) = found else { return Ok(None) };
        self.names.insert(name.clone(), tenant.id);
        self.by_id(tenant.id)
            .await
            .map(|found| found.filter(|tenant| goes_by(tenant, name)))
    }

    /// A tenant's name and settings as they are kept now, past any cache.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn profile(&self, id: TenantId) -> Result<Option<Profile>, Error> {
        let rows = self.pool.query(PROFILE, &[id.as_uuid()]).await?;
        rows.first().map(profile).transpose()
    }

    /// Replaces a tenant's name and settings, if they are still what they were read as.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn replace_profile(
        &self,
        id: TenantId,
        old: &Profile,
        new: &Profile,
    ) -> Result<bool, Error> {
        let text = |settings: &Map<String, Value>| serde_json::to_string(settings);
        let settings = text(&new.settings).map_err(Error::unreadable)?;
        let before = text(&old.settings).map_err(Error::unreadable)?;
        let params: Params<'_> = &[id.as_uuid(), &new.name, &settings, &old.name, &before];
        let replaced = !self.pool.query(REPLACE_PROFILE, params).await?.is_empty();
        if replaced {
            self.feed.publish(&ChangeNotice::Tenant(id));
        }
        Ok(replaced)
    }

    /// The pool it reads from.
    #[must_use]
    pub fn pool(&self) -> &RegistryPool {
        &self.pool
    }

    async fn load(&self, sql: Sql, key: &(dyn ToSql + Sync)) -> Result<Option<Tenant>, Error> {
        let rows = self.pool.query(sql, &[key]).await?;
        rows.first().map(read).transpose()
    }
}

fn profile(row: &Row) -> Result<Profile, Error> {
    let settings: String = row.try_get("settings")?;
    Ok(Profile {
        name: row.try_get("name")?,
        settings: serde_json::from_str(&settings).map_err(Error::unreadable)?,
    })
}

fn goes_by(tenant: &Tenant, name: &Name) -> bool {
    match name {
        Name::Slug(slug) => tenant.slug == *slug || tenant.former_slugs.contains(slug),
        Name::Host(host) => tenant.domains.contains(host),
    }
}

fn read(row: &Row) -> Result<Tenant, Error> {
    let text = |column: &str| -> Result<String, Error> { Ok(row.try_get(column)?) };
    let schema = text("schema_name")?.parse().map_err(Error::unreadable)?;
    let role = text("role_name")?.parse().map_err(Error::unreadable)?;
    let domains: Vec<String> = row.try_get("domains")?;
    let former_slugs: Vec<String> = row.try_get("former_slugs")?;
    let lane: Option<i16> = row.try_get("lane")?;
    Ok(Tenant {
        id: TenantId::new(row.try_get("id")?),
        slug: text("slug")?.parse().map_err(Error::unreadable)?,
        name: text("name")?,
        prelude: Tenant::prelude(&schema, &role),
        schema,
        role,
        lane: lane
            .and_then(LaneNumber::new)
            .ok_or_else(|| Error::unreadable("the tenant's role has no lane"))?,
        status: Status::read(&text("status")?).ok_or_else(|| Error::unreadable("status"))?,
        plan: Plan {
            name: text("plan")?,
            max_users: row.try_get("max_users")?,
            max_clients: row.try_get("max_clients")?,
            max_notes: row.try_get("max_notes")?,
            requests_per_second: row.try_get("requests_per_second")?,
            storage_bytes: row.try_get("storage_bytes")?,
            api_calls_per_month: row.try_get("api_calls_per_month")?,
        },
        settings: serde_json::from_str(&text("settings")?).map_err(Error::unreadable)?,
        domains: domains
            .iter()
            .filter_map(|domain| domain.parse().ok())
            .collect(),
        former_slugs: former_slugs
            .iter()
            .filter_map(|slug| slug.parse().ok())
            .collect(),
        created_at: row.try_get("created_at")?,
    })
}
