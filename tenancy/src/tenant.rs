//! What is known of a tenant: one row of the registry, ready for use.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::{
    db::LaneNumber,
    names::{Hostname, RoleName, SchemaName, Slug, TenantId},
    settings::TenantSettings,
};

/// A tenant, as the registry has it.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Stays for good.
    pub id: TenantId,
    /// May be renamed.
    pub slug: Slug,
    /// For people.
    pub name: String,
    /// Where its tables are.
    pub schema: SchemaName,
    /// Who may use them.
    pub role: RoleName,
    /// The lane of its connections.
    pub(crate) lane: LaneNumber,
    /// Whether it is served.
    pub status: Status,
    /// What it may use.
    pub plan: Plan,
    /// What its owner decides.
    pub settings: TenantSettings,
    /// Its verified domains, the primary one first.
    pub domains: Vec<Hostname>,
    /// Slugs it had before, which still lead to it.
    pub former_slugs: Vec<Slug>,
    /// When it signed up.
    pub created_at: OffsetDateTime,
    /// Opens a transaction in its schema and under its role.
    pub(crate) prelude: Arc<str>,
}

impl Tenant {
    /// What begins every transaction in a tenant's schema. Either statement failing aborts the
    /// transaction, and with it the query sent behind.
    pub(crate) fn prelude(schema: &SchemaName, role: &RoleName) -> Arc<str> {
        format!("BEGIN;SET LOCAL ROLE {role};SET LOCAL search_path TO {schema}").into()
    }
}

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// Where a tenant is in its life.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Status { $($(#[$doc])* $name,)* }

        impl Status {
            /// The registry's word for it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Reads the registry's word.
            #[must_use]
            pub fn read(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

statuses! {
    /// Being made.
    Provisioning = "provisioning";
    /// Served.
    Active = "active";
    /// Kept, not served.
    Suspended = "suspended";
    /// Not served; can be restored until its grace period ends.
    Deleting = "deleting";
    /// Gone.
    Purged = "purged";
}

/// What a tenant may use. `None` is unlimited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// `free`, `basic`, `premium`, `enterprise`, or what the operator added.
    pub name: String,
    /// Users, deactivated ones included.
    pub max_users: Option<i32>,
    /// OAuth clients.
    pub max_clients: Option<i32>,
    /// Notes.
    pub max_notes: Option<i32>,
    /// Requests per second, over all of the tenant's users.
    pub requests_per_second: Option<i32>,
    /// Bytes of its tables and indexes.
    pub storage_bytes: Option<i64>,
    /// Calls of the API in a calendar month.
    pub api_calls_per_month: Option<i64>,
}
