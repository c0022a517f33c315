//! The control plane: which tenants there are.
//!
//! The way of a sign-up, by files: [`router`] names every route; `api/register` reads the
//! request; [`signup`] validates it and hashes the password; `store/signups` does the rest in one
//! transaction of two round trips. What operators do to a tenant afterwards is in [`lifecycle`],
//! what happens by itself in [`reaper`]. All SQL is in `store`.
//!
//! The command line works through the same [`ControlPlane`], on the database itself.

mod actor;
mod api;
mod app;
pub mod bootstrap;
mod domains;
mod error;
mod fleet;
mod inspect;
mod lifecycle;
mod members;
mod plans;
pub mod reaper;
mod rename;
mod router;
mod settings;
mod signup;
mod store;
mod tokens;

pub use actor::Actor;
pub use app::ControlPlane;
pub use bootstrap::{Logins, bootstrap};
pub use error::Error;
pub use fleet::{Difference, FleetStatus, Migrated};
pub use inspect::{LONGEST, MINUTES, NewInspection, Opened};
pub use members::NewMember;
pub use plans::PlanFields;
pub use rename::NewNames;
pub use settings::{Settings, SignUps};
pub use signup::{Application, SignedUp};
pub use store::{
    domains::{Domain, Holder},
    events::Event,
    inspections::Inspection,
    members::Member,
    operators::TokenRecord,
    plans::{Limits, Plan, PlanRecord},
    statements,
    tenants::{Filter, TenantRecord},
};
pub use tokens::{Lifetime, MAX_DAYS, NewToken};
