//! Roles for tenants to come, and what everybody may execute. See `global-migrations/` for why they are made ahead.

use super::Store;
use crate::error::Error;

tenancy::statements! {
    SPARE = "SELECT count(*) FROM platform.tenant_roles WHERE tenant_id IS NULL";
    MAKE = "SELECT platform.make_tenant_roles($1)";
    CLOSE = "SELECT platform.close_former_channels()";
    DROP = "SELECT platform.drop_tenant_role($1)";
}

/// How many are made when a sign-up finds none.
pub(super) const BATCH_IN_NEED: i32 = 8;

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
}

pub(super) const DROP_ROLE: tenancy::Sql = DROP;
