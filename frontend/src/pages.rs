//! One module per page. A handler asks for its visitor, asks a plane, and shows what it said.

pub(crate) mod account;
pub(crate) mod authorize;
pub(crate) mod home;
mod plans;
pub(crate) mod register;
pub(crate) mod session;
pub(crate) mod sign_up;
pub(crate) mod welcome;

#[cfg(test)]
mod tests;
