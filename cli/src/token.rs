//! `tenantry token`: lets somebody, or something, operate over HTTP.

use clap::Args;
use control_plane::NewToken;
use secrecy::ExposeSecret;
use serde_json::json;
use service::Clock;
use time::{Duration, format_description::well_known::Rfc3339};

use crate::{database::Source, output::Output};

/// A token to be made.
#[derive(Args)]
#[command(
    after_help = "The token is printed once, and only a digest of it is kept.\n\n\
                  Example: TOKEN=$(tenantry token monitoring --days 90)"
)]
pub(crate) struct Options {
    /// Whose it is, for the record
    #[arg(default_value = "operator")]
    name: String,
    /// Days after which it ends [default: never]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    days: Option<u16>,
    #[command(flatten)]
    source: Source,
}

pub(crate) async fn run(options: Options, output: Output) -> anyhow::Result<()> {
    let Options { name, days, source } = options;
    let expires_at = days.map(|days| Clock::system().now() + Duration::days(days.into()));
    let new = NewToken { name, expires_at };
    let token = source.control_plane().await?.create_token(&new).await?;
    let ends = expires_at.map(|at| at.format(&Rfc3339)).transpose()?;
    let body = json!({ "token": token.expose_secret(), "name": new.name, "expires_at": ends });
    output.result(&body, || token.expose_secret().to_owned())
}
