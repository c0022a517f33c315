//! Who asks, and what they may.
//!
//! [`Caller`] for the API (a bearer token with a scope), [`Member`], [`Admin`] and [`Owner`] for
//! a tenant's administration (a session cookie, or a token with scope `admin`). Each is an
//! extractor: a handler that asks for one is not reached by anybody else.

mod bearer;
mod cached;
mod cookie;
mod device;
mod identify;
mod member;
mod session;

pub(crate) use bearer::Caller;
pub(crate) use cached::{Clients, Principal, PrincipalCache, User};
pub(crate) use device::Device;
pub(crate) use identify::{identify, network_of};
pub(crate) use member::{Admin, Member, Owner, Session, Shown, Visitor};
pub(crate) use session::{clear_cookie, set_cookie};
