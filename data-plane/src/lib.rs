//! The data plane: what a tenant's users and clients talk to.
//!
//! The way of a request, by files: [`outer`] takes a path prefix off; [`router`] names every route; [`resolve`] says which tenant a
//! request is for; [`caller`] says who asks and what they may; a handler in `api`, `oauth` or
//! `tenants` decides; `store` holds all SQL and speaks to [`tenancy::TenantDb`] alone.
//!
//! A handler's signature is its authorisation: asking for `Caller<Read>` or `Admin` is the check.

mod api;
mod app;
mod attempts;
mod caller;
mod cors;
mod error;
mod ids;
mod oauth;
mod outer;
mod page;
mod path_prefix;
mod precondition;
mod rates;
mod resolve;
mod router;
mod scope;
mod settings;
mod store;
mod tenants;

pub use app::DataPlane;
pub use settings::Settings;
pub use store::{NOTES_PAGE, statements};
