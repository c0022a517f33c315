//! `tenantry doctor`: what keeps this machine from serving, and what to do about it.
//!
//! What only makes serving slower or less safe is a warning; the exit code tells of failures
//! alone.

mod database;
mod machine;

use clap::Args;
use serde::Serialize;

use crate::{database::Source, local::Local, output::Output, up};

/// What to look at.
#[derive(Args)]
#[command(after_help = "Example: tenantry doctor")]
pub(crate) struct Options {
    #[command(flatten)]
    local: Local,
    #[command(flatten)]
    source: Source,
}

/// How something stands.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Standing {
    Ok,
    Warn,
    Fail,
}

/// One thing looked at.
#[derive(Serialize)]
struct Finding {
    what: &'static str,
    standing: Standing,
    detail: String,
}

impl Finding {
    fn new(what: &'static str, outcome: anyhow::Result<String>) -> Self {
        let standing = match outcome {
            Ok(_) => Standing::Ok,
            Err(_) => Standing::Fail,
        };
        let detail = outcome.unwrap_or_else(|fault| format!("{fault:#}"));
        Self {
            what,
            standing,
            detail,
        }
    }

    /// The same, where a fault does not keep anybody from serving.
    fn only_warn(mut self) -> Self {
        if self.standing == Standing::Fail {
            self.standing = Standing::Warn;
        }
        self
    }

    fn line(&self) -> String {
        let mark = match self.standing {
            Standing::Ok => "ok  ",
            Standing::Warn => "warn",
            Standing::Fail => "FAIL",
        };
        format!("{mark}  {}: {}", self.what, self.detail)
    }
}

pub(crate) async fn run(options: &Options, output: Output) -> anyhow::Result<()> {
    let Options { local, source } = options;
    let mut findings = vec![machine::disk(&source.tenantry_dir)];
    if source.database_url.is_none() {
        findings.push(machine::programs(local.postgres_bin_dir.as_deref()));
    }
    if up::runs_in(&source.tenantry_dir) {
        let detail = format!("serves from {}", source.tenantry_dir.display());
        findings.push(Finding::new("tenantry up", Ok(detail)));
    } else {
        findings.extend(machine::ports(local, source.database_url.is_none()));
    }
    // No private server is no fault: `up` starts one.
    if source.database_url.is_some() || source.admin().is_ok() {
        findings.extend(database::look(source).await);
    }
    output.result(&findings, || {
        findings
            .iter()
            .map(Finding::line)
            .collect::<Vec<_>>()
            .join("\n")
    })?;
    let failed = |finding: &Finding| finding.standing == Standing::Fail;
    anyhow::ensure!(
        !findings.iter().any(failed),
        "something needs a hand; see above"
    );
    Ok(())
}
