//! Showing tenants, and what was done to them.

use clap::Args;
use control_plane::{Event, Filter, TenantRecord};
use serde_json::json;
use tenancy::Status;
use time::format_description::well_known::Rfc3339;

use super::One;
use crate::{
    database::Source,
    failure::Usage,
    output::{Output, table},
};

/// Tenants asked for at once.
const PAGE: i64 = 200;
/// Events shown.
const EVENTS: i64 = 100;

/// Which tenants to list.
#[derive(Args)]
#[command(after_help = "Example: tenantry tenant list --status suspended")]
pub(super) struct ListOptions {
    /// With this text in slug or name
    #[arg(long)]
    search: Option<String>,
    /// active, suspended or deleting
    #[arg(long)]
    status: Option<String>,
    /// On this plan
    #[arg(long)]
    plan: Option<String>,
    #[command(flatten)]
    source: Source,
}

pub(super) async fn list(options: ListOptions, output: Output) -> anyhow::Result<()> {
    let read = |text: String| {
        Status::read(&text).ok_or_else(|| Usage(format!("'{text}' is no status of a tenant")))
    };
    let filter = Filter {
        status: options.status.map(read).transpose()?,
        plan: options.plan,
        search: options.search,
    };
    let plane = options.source.control_plane().await?;
    let mut tenants: Vec<TenantRecord> = Vec::new();
    loop {
        let after = tenants.last().map(|last| last.slug.to_string());
        let page = plane.tenants(&filter, after.as_deref(), PAGE).await?;
        let full = i64::try_from(page.len()).is_ok_and(|found| found == PAGE);
        tenants.extend(page);
        if !full {
            break;
        }
    }
    output.result(&json!({ "tenants": tenants }), || {
        let rows: Vec<[String; 5]> = tenants.iter().map(row).collect();
        table(["SLUG", "NAME", "PLAN", "STATUS", "DOMAIN"], &rows)
    })
}

pub(super) fn tenant(tenant: &TenantRecord, output: Output) -> anyhow::Result<()> {
    output.result(tenant, || {
        let when = |at: time::OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
        let mut facts = vec![
            ("slug", tenant.slug.to_string()),
            ("name", tenant.name.clone()),
            ("id", tenant.id.to_string()),
            ("plan", tenant.plan.clone()),
            ("status", tenant.status.to_owned()),
            (
                "schema",
                format!("{}, version {}", tenant.schema, tenant.schema_version),
            ),
            ("created", when(tenant.created_at)),
        ];
        facts.extend(
            tenant
                .domain
                .as_ref()
                .map(|domain| ("domain", domain.to_string())),
        );
        facts.extend(tenant.delete_after.map(|at| ("purged after", when(at))));
        let lines: Vec<String> = facts
            .into_iter()
            .map(|(fact, value)| format!("{fact:<13} {value}"))
            .collect();
        lines.join("\n")
    })
}

pub(super) async fn events(one: One, output: Output) -> anyhow::Result<()> {
    let (plane, slug) = one.open().await?;
    let events = plane.events(&slug, None, EVENTS).await?;
    output.result(&json!({ "events": events }), || event_table(&events))
}

/// Events in columns.
pub(crate) fn event_table(events: &[Event]) -> String {
    let row = |event: &Event| {
        let at = event.at.format(&Rfc3339).unwrap_or_default();
        let detail = Some(event.detail.to_string()).filter(|detail| detail != "{}");
        [
            at,
            event.actor.clone(),
            event.action.clone(),
            detail.unwrap_or_default(),
        ]
    };
    let rows: Vec<[String; 4]> = events.iter().map(row).collect();
    table(["AT", "BY", "WHAT", ""], &rows)
}

fn row(tenant: &TenantRecord) -> [String; 5] {
    [
        tenant.slug.to_string(),
        tenant.name.clone(),
        tenant.plan.clone(),
        tenant.status.to_owned(),
        tenant
            .domain
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    ]
}
