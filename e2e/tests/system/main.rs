//! `tenantry up` as its users meet it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod clients;
mod description;
mod faults;
mod gateway;
mod inspect;
mod kills;
mod pages;
mod pgadmin;
mod pooler;
mod readme;
