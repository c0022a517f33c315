//! All SQL of the data plane: one typed function beside each statement.
//!
//! Names in statements are relative to the tenant's schema, and columns are always named. The
//! store knows neither HTTP nor who may ask.

pub(crate) mod authorizations;
pub(crate) mod budget;
pub(crate) mod clients;
pub(crate) mod devices;
pub(crate) mod notes;
pub(crate) mod sessions;
pub(crate) mod sign_in_codes;
pub(crate) mod sign_in_failures;
pub(crate) mod stats;
pub(crate) mod tokens;
pub(crate) mod users;

use tenancy::Sql;

/// The statement behind the first page of `GET /api/notes`, for measuring its limit.
pub const NOTES_PAGE: Sql = notes::pages::NEWEST;

/// Every statement of the data plane, by name: what a test prepares against a fresh schema.
#[must_use]
pub fn statements() -> Vec<(&'static str, Sql)> {
    let modules = [
        tenancy::db::STATEMENTS,
        authorizations::STATEMENTS,
        clients::STATEMENTS,
        devices::STATEMENTS,
        notes::STATEMENTS,
        notes::pages::STATEMENTS,
        sessions::STATEMENTS,
        sign_in_codes::STATEMENTS,
        sign_in_failures::STATEMENTS,
        stats::STATEMENTS,
        tokens::STATEMENTS,
        users::STATEMENTS,
        users::changes::STATEMENTS,
    ];
    modules.concat()
}
