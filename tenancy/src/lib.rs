//! What a tenant is, and the only door to its schema.
//!
//! Open the files in this order: [`names`] (what may be called what), [`tenant`] (what is known
//! of one), [`registry`] (finding it, from memory), [`db`] (asking its schema), [`migrations`]
//! (what every schema holds). [`feed`] and [`cache`] keep what is in memory true.
//!
//! Nothing here knows HTTP, OAuth or a plane. No other crate sets a role or a `search_path`: the
//! connections that could are private to [`db`].

pub mod cache;
pub mod db;
pub mod feed;
pub mod migrations;
pub mod names;
pub mod notice;
pub mod registry;
pub mod settings;
pub mod tenant;

pub use db::{Sql, TenantDb};
pub use feed::ChangeFeed;
pub use names::{Hostname, RoleName, SchemaName, Slug, TenantId};
pub use notice::{ChangeNotice, Revocation};
pub use registry::Registry;
pub use tenant::{Plan, Status, Tenant};
