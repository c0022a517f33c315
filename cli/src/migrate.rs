//! `tenantry migrate`: the registry's migrations and every tenant's.

use anyhow::bail;
use clap::{Args, Subcommand};
use control_plane::{ControlPlane, Difference, FleetStatus, bootstrap};
use serde_json::json;
use service::Entropy;
use tenancy::{Slug, migrations};

use crate::{
    database::Source,
    output::{Output, table},
};

/// What to do about migrations.
#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Say how many tenants are at which version
    #[command(after_help = "Example: tenantry migrate status --json")]
    Status {
        #[command(flatten)]
        source: Source,
    },
    /// Say which files would run, and at which tenants
    #[command(after_help = "Example: tenantry migrate plan")]
    Plan {
        #[command(flatten)]
        source: Source,
    },
    /// Make the database ready, and bring every tenant up to the latest version
    #[command(
        after_help = "A tenant that fails harms no other; run it again for those.\n\n\
                            Example: tenantry migrate run"
    )]
    Run {
        #[command(flatten)]
        source: Source,
    },
}

pub(crate) async fn run(options: Options, output: Output) -> anyhow::Result<()> {
    match options.action {
        Action::Status { source } => status(&source.control_plane().await?, output).await,
        Action::Plan { source } => plan(&source.control_plane().await?, output).await,
        Action::Run { source } => migrate(&source, output).await,
    }
}

async fn status(plane: &ControlPlane, output: Output) -> anyhow::Result<()> {
    let status = plane.fleet_status().await?;
    let different = plane.different_histories().await?;
    let mut body = serde_json::to_value(&status)?;
    body["different"] = json!(different);
    output.result(&body, || {
        let rows: Vec<[String; 2]> = status
            .versions
            .iter()
            .map(|at| [at.version.to_string(), at.tenants.to_string()])
            .collect();
        let latest = status.latest;
        let versions = table(["VERSION", "TENANTS"], &rows);
        let behind: Vec<&str> = status.behind.iter().map(Slug::as_str).collect();
        let named = match behind.len() {
            0 => String::new(),
            _ => format!("\nBehind, the first hundred: {}", behind.join(", ")),
        };
        let different = different.iter().map(|one| {
            let Difference { tenant, difference } = one;
            format!("\n{tenant} has another history than the files: {difference}")
        });
        let different: String = different.collect();
        format!("The latest version is {latest}.\n\n{versions}{named}{different}")
    })
}

async fn plan(plane: &ControlPlane, output: Output) -> anyhow::Result<()> {
    let status = plane.fleet_status().await?;
    let behind = behind(&status);
    let FleetStatus {
        versions, latest, ..
    } = status;
    let oldest = versions.iter().map(|at| at.version).min().unwrap_or(latest);
    let files: Vec<String> = migrations::all()
        .iter()
        .filter(|file| file.version > oldest)
        .map(|file| format!("V{}__{}", file.version, file.name))
        .collect();
    output.result(
        &json!({ "tenants": behind, "files": files }),
        || match behind {
            0 => "Every tenant is up to date.".to_owned(),
            _ => format!(
                "{behind} tenants are behind, by some or all of:\n{}",
                files.join("\n")
            ),
        },
    )
}

/// How many tenants are behind.
pub(crate) fn behind(status: &FleetStatus) -> u64 {
    let behind = status
        .versions
        .iter()
        .filter(|at| at.version < status.latest);
    behind.map(|at| at.tenants.unsigned_abs()).sum()
}

async fn migrate(source: &Source, output: Output) -> anyhow::Result<()> {
    let logins = source.logins(&Entropy::system()?)?;
    bootstrap(&source.admin()?, &logins, &source.bootstrap_options()).await?;
    let plane = source.control_plane().await?;
    let bar = output.progress(behind(&plane.fleet_status().await?), "tenants");
    let done = plane
        .migrate_fleet_and_tell(|done| bar.set_position(done.migrated + done.failed))
        .await?;
    bar.finish_and_clear();
    output.result(&done, || {
        format!("{} tenants migrated, {} failed", done.migrated, done.failed)
    })?;
    for failure in &done.failures {
        output.note(&format!("{}: {}", failure.tenant, failure.error));
    }
    if done.failed > 0 {
        bail!("{} tenants failed and are as they were", done.failed);
    }
    Ok(())
}
