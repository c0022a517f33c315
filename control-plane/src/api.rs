//! The control plane's endpoints: sign-up and list for anyone, the rest for operators.

pub(crate) mod domains;
pub(crate) mod inspections;
pub(crate) mod list;
pub(crate) mod migrations;
pub(crate) mod operator;
pub(crate) mod path;
pub(crate) mod plans;
pub(crate) mod register;
pub(crate) mod tenants;
pub(crate) mod tokens;
pub(crate) mod users;
