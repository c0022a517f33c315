//! The API that a tenant's clients call with bearer tokens.

pub(crate) mod notes;
pub(crate) mod protected;
pub(crate) mod status;
