//! The OAuth 2.0 server, and the sign-in that stands before it.
//!
//! The protocol's own endpoints answer errors as RFC 6749 has them and read their requests as
//! [`service::Parameters`]; register, login and logout are ours and answer problems.

mod authenticate;
pub(crate) mod clients;
mod grants;
pub(crate) mod introspect;
mod issue;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod register;
pub(crate) mod revoke;
pub(crate) mod sign_in_code;
pub(crate) mod token;
pub(crate) mod userinfo;

pub(crate) use grants::Grant;
