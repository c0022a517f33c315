//! `tenantry inspect`: a login for a person who looks into one tenant's schema, and nothing else.

use clap::Args;
use control_plane::{ControlPlane, Inspection, LONGEST, MINUTES, NewInspection, Opened};
use secrecy::ExposeSecret;
use serde_json::json;
use service::body::Text;
use tenancy::Slug;
use time::format_description::well_known::Rfc3339;

use crate::{
    output::{Output, table},
    tenant::{ACTOR, One},
};

/// Whom to let in, and for how long.
#[derive(Args)]
#[command(
    after_help = "The login sees the tables of that schema and of no other. Its password is \
                  printed once. Nobody is let in by it when its time is over, and the control \
                  plane then ends what goes on.\n\nExample: tenantry inspect acme --minutes 15"
)]
pub(crate) struct Options {
    #[command(flatten)]
    one: One,
    /// Minutes that it is open for
    #[arg(long, default_value_t = MINUTES, value_parser = clap::value_parser!(i64).range(1..=LONGEST))]
    minutes: i64,
    /// Let it write as well; what it writes is in PostgreSQL's log
    #[arg(long)]
    write: bool,
    /// Show the logins that are open instead
    #[arg(long, conflicts_with_all = ["minutes", "write", "close"])]
    list: bool,
    /// End all logins that are open instead, with their sessions
    #[arg(long, conflicts_with_all = ["minutes", "write"])]
    close: bool,
}

pub(crate) async fn run(options: Options, output: Output) -> anyhow::Result<()> {
    let (plane, slug) = options.one.open().await?;
    if options.list {
        return list(&plane.inspections(&slug).await?, output);
    }
    if options.close {
        return close(&plane, &slug, output).await;
    }
    let mode = if options.write {
        "read-write"
    } else {
        "read-only"
    };
    let new = NewInspection {
        mode: Text::Given(mode.to_owned()),
        minutes: Some(options.minutes),
    };
    show(&plane.open_inspection(&slug, new, ACTOR).await?, output)
}

fn show(opened: &Opened, output: Output) -> anyhow::Result<()> {
    let Opened {
        tenant,
        schema,
        database,
        host,
        port,
        login,
        password,
        mode,
        ..
    } = opened;
    let until = opened.expires_at.format(&Rfc3339)?;
    let password = password.expose_secret();
    output.result(opened, || {
        format!(
            "{login} sees the schema {schema}, {mode}, until {until}.\n\n  \
             psql      PGPASSWORD={password} psql -h {host} -p {port} -U {login} {database}\n  \
             pgAdmin   host {host}, port {port}, database {database}, user {login}, password \
             {password}\n  \
             End it    tenantry inspect {tenant} --close"
        )
    })
}

fn list(open: &[Inspection], output: Output) -> anyhow::Result<()> {
    output.result(&json!({ "inspections": open }), || {
        let row = |inspection: &Inspection| {
            [
                inspection.login.clone(),
                inspection.mode.to_owned(),
                inspection.opened_by.clone(),
                inspection.expires_at.format(&Rfc3339).unwrap_or_default(),
            ]
        };
        let rows: Vec<[String; 4]> = open.iter().map(row).collect();
        table(["LOGIN", "MODE", "OPENED BY", "UNTIL"], &rows)
    })
}

async fn close(plane: &ControlPlane, slug: &Slug, output: Output) -> anyhow::Result<()> {
    let (mut closed, mut failure) = (Vec::new(), None);
    for Inspection { login, .. } in plane.inspections(slug).await? {
        match plane.close_inspection(slug, &login, ACTOR).await {
            Ok(()) => closed.push(login),
            Err(cause) => failure = Some(anyhow::Error::new(cause).context(login)),
        }
    }
    if let Some(failure) = failure {
        return Err(failure);
    }
    output.result(&json!({ "closed": closed }), || match closed.len() {
        0 => "No login was open.".to_owned(),
        1 => "1 login is closed.".to_owned(),
        many => format!("{many} logins are closed."),
    })
}
