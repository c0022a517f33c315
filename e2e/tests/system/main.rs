//! `tenantry up` as its users meet it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod gateway;
mod kills;
mod pages;
mod readme;
