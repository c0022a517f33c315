//! `tenantry events`: what was done to the platform itself.

use clap::Args;
use serde_json::json;

use crate::{database::Source, output::Output, tenant::event_table};

/// Events shown.
const EVENTS: i64 = 100;

/// Which events.
#[derive(Args)]
#[command(
    after_help = "What was done to one tenant: tenantry tenant events.\n\nExample: tenantry events"
)]
pub(crate) struct Options {
    /// Events before the one of this id
    #[arg(long)]
    before: Option<i64>,
    #[command(flatten)]
    source: Source,
}

pub(crate) async fn run(options: Options, output: Output) -> anyhow::Result<()> {
    let plane = options.source.control_plane().await?;
    let events = plane.platform_events(options.before, EVENTS).await?;
    output.result(&json!({ "events": events }), || event_table(&events))
}
