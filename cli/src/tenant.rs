//! `tenantry tenant`: what an operator does to a tenant, on the database itself.

mod create;
mod domain;
mod show;

use clap::{Args, Subcommand};
use control_plane::{ControlPlane, NewNames, TenantRecord};
use serde_json::json;
use service::{Patched, body::Text};
use tenancy::Slug;

use crate::{database::Source, failure::Usage, output::Output};
pub(crate) use show::event_table;

/// Who the record says did it.
pub(crate) const ACTOR: &str = "command line";

/// What to do to tenants.
#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Create a tenant with its owner; it serves at once
    Create(create::Options),
    /// List tenants
    List(show::ListOptions),
    /// Show a tenant
    #[command(after_help = "Example: tenantry tenant show acme")]
    Show(One),
    /// Show what was done to a tenant, the latest first
    #[command(after_help = "Example: tenantry tenant events acme")]
    Events(One),
    /// Stop serving a tenant; everything is kept
    #[command(after_help = "Example: tenantry tenant suspend acme")]
    Suspend(One),
    /// Serve a suspended tenant again
    #[command(after_help = "Example: tenantry tenant resume acme")]
    Resume(One),
    /// Stop serving a tenant, and purge it when its grace period is over
    #[command(
        after_help = "The grace period is DELETE_GRACE_DAYS; until then `tenant restore` takes \
                      it back.\n\nExample: tenantry tenant delete acme"
    )]
    Delete(Doomed),
    /// Take a deletion back
    #[command(after_help = "Example: tenantry tenant restore acme")]
    Restore(One),
    /// Remove a deleted tenant with all that it has, at once and for good
    #[command(after_help = "Example: tenantry tenant purge acme --yes")]
    Purge(Doomed),
    /// Give a tenant another slug, name, or both
    #[command(
        after_help = "Its old address redirects for SLUG_HOLD_DAYS and is nobody else's meanwhile; \
                      its users sign in again at the new one.\n\n\
                      Example: tenantry tenant rename acme --slug acme-two"
    )]
    Rename(Rename),
    /// Put a tenant on another plan
    #[command(after_help = "Example: tenantry tenant plan acme premium")]
    Plan(NewPlan),
    /// See to a tenant's own domains
    Domain(domain::Options),
}

/// One tenant.
#[derive(Args)]
pub(crate) struct One {
    /// The tenant's slug
    slug: String,
    #[command(flatten)]
    source: Source,
}

/// One tenant, to be destroyed.
#[derive(Args)]
struct Doomed {
    #[command(flatten)]
    one: One,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(Args)]
#[group(id = "names", required = true, multiple = true, args = ["new_slug", "name"])]
struct Names {
    /// The new slug
    #[arg(long = "slug", id = "new_slug", value_name = "SLUG")]
    slug: Option<String>,
    /// The new name, for people
    #[arg(long)]
    name: Option<String>,
}

#[derive(Args)]
struct Rename {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    names: Names,
}

#[derive(Args)]
struct NewPlan {
    #[command(flatten)]
    one: One,
    /// The plan's name
    plan: String,
}

impl One {
    /// The control plane, and the slug.
    ///
    /// # Errors
    /// When the slug is none, or the database is not to be had.
    pub(crate) async fn open(self) -> anyhow::Result<(ControlPlane, Slug)> {
        let slug = slug(&self.slug)?;
        Ok((self.source.control_plane().await?, slug))
    }
}

fn slug(text: &str) -> anyhow::Result<Slug> {
    text.parse()
        .map_err(|fault| Usage(format!("the slug '{text}' {fault}")).into())
}

pub(crate) async fn run(options: Options, output: Output) -> anyhow::Result<()> {
    match options.action {
        Action::Create(options) => create::run(options, output).await,
        Action::List(options) => show::list(options, output).await,
        Action::Events(one) => show::events(one, output).await,
        Action::Domain(options) => domain::run(options, output).await,
        Action::Show(one) => {
            let (plane, slug) = one.open().await?;
            show::tenant(&plane.tenant(&slug).await?, output)
        }
        Action::Suspend(one) => {
            let (plane, slug) = one.open().await?;
            show::tenant(&plane.suspend(&slug, ACTOR).await?, output)
        }
        Action::Resume(one) => {
            let (plane, slug) = one.open().await?;
            show::tenant(&plane.resume(&slug, ACTOR).await?, output)
        }
        Action::Restore(one) => {
            let (plane, slug) = one.open().await?;
            show::tenant(&plane.restore(&slug, ACTOR).await?, output)
        }
        Action::Rename(Rename { one, names }) => {
            let (plane, slug) = one.open().await?;
            let text = |text: Option<String>| {
                text.map_or(Patched::Absent, |text| Patched::Value(Text::Given(text)))
            };
            let new = NewNames {
                name: text(names.name),
                slug: text(names.slug),
            };
            show::tenant(&plane.rename(&slug, new, ACTOR).await?, output)
        }
        Action::Plan(NewPlan { one, plan }) => {
            let (plane, slug) = one.open().await?;
            show::tenant(&plane.set_plan(&slug, &plan, ACTOR).await?, output)
        }
        Action::Delete(doomed) => delete(doomed, output).await,
        Action::Purge(doomed) => purge(doomed, output).await,
    }
}

async fn delete(Doomed { one, yes }: Doomed, output: Output) -> anyhow::Result<()> {
    let (plane, slug) = one.open().await?;
    let TenantRecord { name, .. } = plane.tenant(&slug).await?;
    output.confirm(&format!("Stop serving {slug} ({name}) and delete it?"), yes)?;
    show::tenant(&plane.delete(&slug, ACTOR).await?, output)
}

async fn purge(Doomed { one, yes }: Doomed, output: Output) -> anyhow::Result<()> {
    let (plane, slug) = one.open().await?;
    let TenantRecord { name, .. } = plane.tenant(&slug).await?;
    let question = format!("Remove {slug} ({name}) with all that it has? Nothing brings it back.");
    output.confirm(&question, yes)?;
    plane.purge(&slug, ACTOR).await?;
    output.result(&json!({ "slug": slug, "status": "purged" }), || {
        format!("{slug} is gone.")
    })
}
