//! Roles of tenants to come and of tenants that are gone, and what is taken back when the last service
//! of the version before has ended. See `global-migrations/` for why roles are made ahead.

use super::Store;
use crate::error::Error;

tenancy::statements! {
    SPARE = "SELECT count(*) FROM platform.tenant_roles WHERE tenant_id IS NULL";
    MAKE = "SELECT platform.make_tenant_roles($1)";
    CLOSE = "SELECT platform.close_former_channels()";
    TAKE = "SELECT platform.take_from_former_login($1)";
    DROP = "SELECT platform.drop_purged_roles($1)";
}

/// How many are made when a sign-up finds none.
pub(super) const BATCH_IN_NEED: i32 = 32;

impl Store {
    /// How many roles wait for a tenant.
    pub(crate) async fn spare_roles(&self) -> Result<i64, Error> {
        let rows = self.query(SPARE, &[]).await?;
        Ok(rows.first().map_or(Ok(0), |row| row.try_get(0))?)
    }

    /// Makes roles for tenants to come.
    pub(crate) async fn make_roles(&self, wanted: i32) -> Result<(), Error> {
        self.query(MAKE, &[&wanted]).await?;
        Ok(())
    }

    /// Closes what anybody may execute for as long as services of the version before run, if none
    /// does any more.
    pub(crate) async fn close_former_channels(&self) -> Result<(), Error> {
        self.query(CLOSE, &[]).await?;
        Ok(())
    }

    /// Takes roles from the login that the version before used for all tenants.
    pub(crate) async fn take_from_former_login(&self, most: i32) -> Result<(), Error> {
        self.query(TAKE, &[&most]).await.map(drop)?;
        Ok(())
    }

    /// Drops roles of purged tenants; how many.
    pub(crate) async fn drop_purged_roles(&self, most: i32) -> Result<i64, Error> {
        let rows = self.query(DROP, &[&most]).await?;
        Ok(rows.first().map_or(Ok(0), |row| row.try_get(0))?)
    }
}
