//! What a tenant is, and the only door to its schema.
//!
//! Open the files in this order: [`names`] (what may be called what), [`tenant`] (what is known
//! of one), [`settings`] (what it decides itself), [`registry`] (finding it, from memory), [`db`]
//! (asking its schema), [`migrations`] (what every schema holds). [`feed`] and [`cache`] keep what
//! is in memory true.
//!
//! Nothing here knows HTTP, OAuth or a plane. The data plane reaches a tenant's schema through
//! [`TenantDb`] alone, which becomes the tenant's role and sets the `search_path`: the pools of
//! [`db`] hand no connection out. The control plane owns the schemas and becomes nobody; it sets a
//! `search_path` for one transaction where it makes or migrates a schema, with SQL from
//! [`migrations`], and where it writes a tenant's users.

pub mod cache;
pub mod db;
pub mod feed;
pub mod migrations;
pub mod names;
pub mod notice;
pub mod registry;
mod revisions;
pub mod settings;
pub mod tenant;

pub use db::{Sql, TenantDb};
pub use feed::ChangeFeed;
pub use names::{Hostname, RoleName, SchemaName, Slug, TenantId};
pub use notice::{ChangeNotice, Revocation};
pub use registry::Registry;
pub use revisions::Dependencies;
pub use tenant::{Plan, Status, Tenant};
