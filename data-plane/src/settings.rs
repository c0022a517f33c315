//! What an operator decides of the data plane.

use std::num::{NonZeroU16, NonZeroU32};

use clap::Args;

/// The data plane's settings.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Data plane")]
pub struct Settings {
    /// How tenants' schemas are reached
    #[command(flatten)]
    pub database: tenancy::db::Database,
    /// Tenants kept in memory
    #[arg(long, env, default_value_t = 10_000)]
    pub tenants_in_memory: u64,
    /// Tokens and sessions kept in memory
    #[arg(long, env, default_value_t = 20_000)]
    pub tokens_in_memory: u64,
    /// Sign-in attempts per minute for one account from one address
    #[arg(long, env, default_value = "100")]
    pub logins_per_minute: NonZeroU32,
    /// Failed sign-ins to one account, from anywhere, before each further one costs time
    #[arg(long, env, default_value = "10")]
    pub failed_sign_ins_per_account: NonZeroU16,
    /// Failed sign-ins from one address, to any account, before each further one costs time
    #[arg(long, env, default_value = "100")]
    pub failed_sign_ins_per_address: NonZeroU16,
    /// Registrations per minute from one address at one tenant
    #[arg(long, env, default_value = "60")]
    pub registrations_per_minute: NonZeroU32,
}
