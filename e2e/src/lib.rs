//! The whole system from outside: the built `tenantry`, real nginx, real Chromium, kills.
//!
//! Nothing here reaches into the product; what a test knows, any user could know.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc
)]

pub mod browser;
pub mod gateway;
pub mod pgadmin;
pub mod process;
pub mod python;
pub mod raw;
pub mod recorder;
pub mod services;
pub mod system;
pub mod visitors;

pub use system::System;
