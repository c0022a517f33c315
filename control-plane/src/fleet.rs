//! Tenant migrations over the whole fleet: one transaction per tenant, and a tenant that fails
//! harms no other.

use serde::Serialize;
use tenancy::{Slug, migrations};
use utoipa::ToSchema;

use crate::{app::ControlPlane, error::Error, store::fleet::Behind};

/// Tenants looked up at once.
const PAGE: i64 = 500;
/// Tenants that are named in the status.
const NAMED: i64 = 100;
/// Failures that are told one by one.
const TOLD: usize = 100;

/// Where the fleet is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FleetStatus {
    /// The latest migration there is.
    pub latest: i32,
    /// How many tenants are at which version.
    pub versions: Vec<AtVersion>,
    /// The first hundred tenants that are behind.
    #[schema(value_type = Vec<String>)]
    pub behind: Vec<Slug>,
}

/// Tenants at one version.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AtVersion {
    /// The last migration that ran there.
    pub version: i32,
    /// How many tenants.
    pub tenants: i64,
}

/// What a run did.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Migrated {
    /// Tenants brought up to the latest version.
    pub migrated: u64,
    /// Tenants that failed and are as they were.
    pub failed: u64,
    /// The first hundred failures.
    pub failures: Vec<Failure>,
}

/// A tenant that could not be migrated.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Failure {
    /// Which.
    #[schema(value_type = String)]
    pub tenant: Slug,
    /// Why.
    pub error: String,
}

/// A tenant whose schema has another history than the files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which.
    pub tenant: Slug,
    /// How it differs.
    pub difference: String,
}

impl ControlPlane {
    /// Where the fleet is.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn fleet_status(&self) -> Result<FleetStatus, Error> {
        let versions = self.store().versions().await?;
        let behind = self.store().behind(None, NAMED).await?;
        let at = |(version, tenants)| AtVersion { version, tenants };
        Ok(FleetStatus {
            latest: migrations::latest(),
            versions: versions.into_iter().map(at).collect(),
            behind: behind.into_iter().map(|tenant| tenant.slug).collect(),
        })
    }

    /// Tenants whose schema's history differs from the files in a name or a checksum, or lacks one, and
    /// how. Reads a table of every tenant, and the connection remembers each: for a program that ends.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn different_histories(&self) -> Result<Vec<Difference>, Error> {
        let found = self.store().different_histories().await?;
        let named = |(tenant, difference)| Difference { tenant, difference };
        Ok(found.into_iter().map(named).collect())
    }

    /// Brings every tenant up to the latest version. With nothing to do it costs one query.
    ///
    /// # Errors
    /// When the registry cannot be asked; what fails at one tenant is in the answer.
    pub async fn migrate_fleet(&self) -> Result<Migrated, Error> {
        self.migrate_fleet_and_tell(|_| ()).await
    }

    /// As [`migrate_fleet`](Self::migrate_fleet), and tells what is done after each tenant.
    ///
    /// # Errors
    /// When the registry cannot be asked; what fails at one tenant is in the answer.
    pub async fn migrate_fleet_and_tell(
        &self,
        mut tell: impl FnMut(&Migrated) + Send,
    ) -> Result<Migrated, Error> {
        let mut done = Migrated::default();
        let mut after: Option<Behind> = None;
        loop {
            let page = self.store().behind(after.as_ref(), PAGE).await?;
            if page.is_empty() {
                return Ok(done);
            }
            for tenant in page {
                match self.store().migrate(&tenant.slug, self.now()).await {
                    Ok(migrated) => done.migrated += u64::from(migrated),
                    Err(cause) => done.note(tenant.slug.clone(), &cause),
                }
                tell(&done);
                after = Some(tenant);
            }
        }
    }
}

impl Migrated {
    fn note(&mut self, tenant: Slug, cause: &Error) {
        tracing::error!(%tenant, %cause, "a tenant could not be migrated");
        self.failed += 1;
        if self.failures.len() < TOLD {
            self.failures.push(Failure {
                tenant,
                error: cause.to_string(),
            });
        }
    }
}
