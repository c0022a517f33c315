//! What an operator decides of the control plane.

use std::num::{NonZeroU32, NonZeroUsize};

use clap::{Args, ValueEnum};
use http::uri::Authority;
use serde::Serialize;
use service::label;
use utoipa::ToSchema;

/// The control plane's settings.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Control plane")]
#[group(id = "control-plane")]
pub struct Settings {
    /// Who may sign a tenant up
    #[arg(long, env, value_enum, default_value_t = SignUps::Open)]
    pub signup: SignUps,
    /// Whom to ask for a tenant while sign-up is closed: an email address, an https address, or words
    #[arg(long, env, value_parser = contact)]
    pub signup_contact: Option<String>,
    /// Sign-ups per minute from one address
    #[arg(long, env, default_value = "300")]
    pub signup_rate_per_minute: NonZeroU32,
    /// Connections to the registry; as many schemas are made at once, each taking some 300 of
    /// PostgreSQL's locks while it is
    #[arg(long, env, default_value = "8")]
    pub control_connections: NonZeroUsize,
    /// Days for which a deleted tenant can be restored
    #[arg(long, env, default_value_t = 30)]
    pub delete_grace_days: u16,
    /// Days for which a slug that a rename gave up is nobody else's and redirects; 0: free at once
    #[arg(long, env, default_value_t = 30)]
    pub slug_hold_days: u16,
    /// Roles kept ready for tenants to come
    #[arg(long, env, default_value_t = 512)]
    pub spare_roles: u16,
    /// Host and port at which people with psql or pgAdmin reach PostgreSQL [default: where this
    /// service reaches it]
    #[arg(long, env)]
    pub inspect_address: Option<Authority>,
    /// Seconds between two looks at what is to be done
    #[arg(long, env, default_value = "30")]
    pub reaper_seconds: NonZeroU32,
}

/// Who may sign a tenant up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SignUps {
    /// Anyone.
    Open,
    /// Operators alone.
    Closed,
}

fn contact(text: &str) -> Result<String, String> {
    label(text, 200)
}
