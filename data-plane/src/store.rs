//! All SQL of the data plane: one typed function beside each statement.
//!
//! Names in statements are relative to the tenant's schema, and columns are always named. The
//! store knows neither HTTP nor who may ask.

pub(crate) mod clients;
pub(crate) mod notes;
pub(crate) mod sessions;
pub(crate) mod stats;
pub(crate) mod tokens;
pub(crate) mod users;

use tenancy::{Sql, TenantDb, db::Transaction};

use crate::{caller::Revoked, error::Error};

/// The statement behind the first page of `GET /api/notes`, for measuring its limit.
pub const NOTES_PAGE: Sql = notes::NEWEST;

tenancy::statements! {
    PUBLISH = "SELECT pg_notify('tenantry_revoked', $1)";
}

/// Every statement of the data plane, by name: what a test prepares against a fresh schema.
#[must_use]
pub fn statements() -> Vec<(&'static str, Sql)> {
    let modules = [
        STATEMENTS,
        clients::STATEMENTS,
        notes::STATEMENTS,
        sessions::STATEMENTS,
        stats::STATEMENTS,
        tokens::STATEMENTS,
        users::STATEMENTS,
    ];
    modules.concat()
}

/// Tells everybody, once the transaction commits, what they must forget.
async fn publish(tx: &mut Transaction, db: &TenantDb, revoked: &Revoked) -> Result<(), Error> {
    tx.query(PUBLISH, &[&payload(db, revoked)]).await?;
    Ok(())
}

/// What is told on the channel: the tenant's id, and what is revoked there.
fn payload(db: &TenantDb, revoked: &Revoked) -> String {
    format!("{} {revoked}", db.tenant().id)
}
