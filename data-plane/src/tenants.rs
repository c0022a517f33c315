//! A tenant's administration, by its own members.

pub(crate) mod info;
pub(crate) mod settings;
pub(crate) mod stats;
pub(crate) mod users;
