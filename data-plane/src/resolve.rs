//! Which tenant a request is for.
//!
//! Five ways to name one; whatever is present must agree, and nothing falls through: a name that
//! is nobody's ends the request. Reading the names is pure; only then is the registry asked.

mod former;
mod names;
mod tenant;

pub(crate) use names::host_of;
pub(crate) use tenant::{InTenant, Uncounted, resolve};
