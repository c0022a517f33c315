//! `tenantry doctor`: what keeps this machine from serving, and what to do about it.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
};

use clap::Args;
use control_plane::ControlPlane;
use serde::Serialize;

use crate::{
    database::{Source, connect},
    output::Output,
};

/// What a run of the product may need, in bytes: the server's own files and room to work.
const ROOM: u64 = 1024 * 1024 * 1024;

/// What to look at.
#[derive(Args)]
#[command(after_help = "Example: tenantry doctor")]
pub(crate) struct Options {
    /// Port of the API
    #[arg(long, env, default_value_t = 8080)]
    api_port: u16,
    /// Port of the pages
    #[arg(long, env, default_value_t = 8000)]
    pages_port: u16,
    /// Directory of the PostgreSQL server's programs [default: searched for]
    #[arg(long, env)]
    postgres_bin_dir: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
}

/// One thing looked at.
#[derive(Serialize)]
struct Finding {
    what: &'static str,
    ok: bool,
    detail: String,
}

pub(crate) async fn run(options: &Options, output: Output) -> anyhow::Result<()> {
    let running = options.source.admin().is_ok();
    let mut findings = vec![disk(&options.source.tenantry_dir)];
    if options.source.database_url.is_none() {
        findings.push(programs(options.postgres_bin_dir.as_deref()));
    }
    if running {
        findings.extend(database(&options.source).await);
    } else {
        findings.push(port("API_PORT", options.api_port));
        findings.push(port("PAGES_PORT", options.pages_port));
    }
    let well = findings.iter().all(|finding| finding.ok);
    output.result(&findings, || {
        let line = |Finding { what, ok, detail }: &Finding| {
            let mark = if *ok { "ok    " } else { "FAILED" };
            format!("{mark}  {what}: {detail}")
        };
        findings.iter().map(line).collect::<Vec<_>>().join("\n")
    })?;
    anyhow::ensure!(well, "something needs a hand; see above");
    Ok(())
}

fn finding(what: &'static str, outcome: anyhow::Result<String>) -> Finding {
    let ok = outcome.is_ok();
    let detail = outcome.unwrap_or_else(|fault| format!("{fault:#}"));
    Finding { what, ok, detail }
}

fn disk(directory: &Path) -> Finding {
    let there = directory.ancestors().find(|path| path.exists());
    // A relative path's last ancestor is the empty one, which is here.
    let place = there
        .filter(|path| !path.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let free = rustix::fs::statvfs(place).map(|fs| fs.f_bavail.saturating_mul(fs.f_frsize));
    finding(
        "disk",
        free.map_err(Into::into).and_then(|free| {
            let text = format!("{} MiB free at {}", free / 1024 / 1024, place.display());
            anyhow::ensure!(
                free >= ROOM,
                "{text}; {} MiB are needed",
                ROOM / 1024 / 1024
            );
            Ok(text)
        }),
    )
}

fn programs(directory: Option<&Path>) -> Finding {
    let found = local_postgres::find_binaries(directory).map_err(Into::into);
    finding(
        "PostgreSQL's programs",
        found.map(|programs| {
            format!(
                "version {} in {}",
                programs.major(),
                programs.directory().display()
            )
        }),
    )
}

fn port(variable: &'static str, port: u16) -> Finding {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    finding(
        variable,
        match free {
            Ok(_) => Ok(format!("{port} is free")),
            Err(cause) => Err(anyhow::anyhow!(
                "{port}: {cause}. Set {variable} to another"
            )),
        },
    )
}

async fn database(source: &Source) -> Vec<Finding> {
    let plane = match source.control_plane().await {
        Ok(plane) => plane,
        Err(fault) => return vec![finding("database", Err(fault))],
    };
    vec![
        finding("database", Ok("tenantry_control can log in".to_owned())),
        finding("login tenantry_data", isolation(source).await),
        finding("tenants' migrations", migrations(&plane).await),
    ]
}

/// Whether the data plane could log in, and could not be made to leave its tenant.
async fn isolation(source: &Source) -> anyhow::Result<String> {
    const OPEN: &str = "SELECT has_function_privilege('pg_catalog.set_config(text, text, boolean)', \
        'EXECUTE')";
    let entropy = service::Entropy::system()?;
    let data = connect(&source.logins(&entropy)?.data(&source.admin()?)).await?;
    let open: bool = data.query_one(OPEN, &[]).await?.try_get(0)?;
    anyhow::ensure!(
        !open,
        "set_config is open to everybody; as a superuser: REVOKE EXECUTE ON FUNCTION \
         pg_catalog.set_config(text, text, boolean) FROM PUBLIC"
    );
    Ok("can log in, and holds no more than it should".to_owned())
}

async fn migrations(plane: &ControlPlane) -> anyhow::Result<String> {
    let status = plane.fleet_status().await?;
    let behind = status
        .versions
        .iter()
        .filter(|at| at.version < status.latest);
    let behind: i64 = behind.map(|at| at.tenants).sum();
    anyhow::ensure!(
        behind == 0,
        "{behind} tenants are behind: run `tenantry migrate run`"
    );
    Ok(format!("all at version {}", status.latest))
}
