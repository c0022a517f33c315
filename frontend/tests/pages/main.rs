//! The pages from outside, where the product's own planes could not take part: what is refused
//! before one is asked, and planes that answer as none of ours does. The walk through sign-up and
//! sign-in belongs to the tests of the whole system.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod hosts;
mod planes;
mod requests;
mod support;
