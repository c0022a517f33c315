//! `tenantry tenant domain`.

use clap::{Args, Subcommand};
use control_plane::{ControlPlane, Domain};
use serde_json::json;
use tenancy::{Hostname, Slug};
use time::format_description::well_known::Rfc3339;

use super::{ACTOR, One};
use crate::{
    failure::Usage,
    output::{Output, table},
};

/// What to do to a tenant's domains.
#[derive(Args)]
pub(super) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List a tenant's domains
    #[command(after_help = "Example: tenantry tenant domain list acme")]
    List(One),
    /// Claim a domain for a tenant
    #[command(after_help = "It is served once it is verified.\n\n\
                            Example: tenantry tenant domain add acme app.example.com")]
    Add(Named),
    /// Vouch that a domain is the tenant's, and serve it
    #[command(after_help = "Example: tenantry tenant domain verify acme app.example.com")]
    Verify(Named),
    /// Give a domain up
    #[command(after_help = "Example: tenantry tenant domain remove acme app.example.com")]
    Remove(Named),
}

/// A domain of one tenant.
#[derive(Args)]
struct Named {
    #[command(flatten)]
    one: One,
    /// The host name
    hostname: String,
}

impl Named {
    async fn open(self) -> anyhow::Result<(ControlPlane, Slug, Hostname)> {
        let host = &self.hostname;
        let host = host
            .parse()
            .map_err(|fault| Usage(format!("'{host}' {fault}")))?;
        let (plane, slug) = self.one.open().await?;
        Ok((plane, slug, host))
    }
}

pub(super) async fn run(options: Options, output: Output) -> anyhow::Result<()> {
    let (plane, slug) = match options.action {
        Action::List(one) => one.open().await?,
        Action::Add(named) => {
            let (plane, slug, host) = named.open().await?;
            plane.add_domain(&slug, &host, ACTOR).await?;
            (plane, slug)
        }
        Action::Verify(named) => {
            let (plane, slug, host) = named.open().await?;
            plane.verify_domain(&slug, &host, ACTOR).await?;
            (plane, slug)
        }
        Action::Remove(named) => {
            let (plane, slug, host) = named.open().await?;
            plane.remove_domain(&slug, &host, ACTOR).await?;
            (plane, slug)
        }
    };
    let domains = plane.domains(&slug).await?;
    output.result(&json!({ "slug": slug, "domains": domains }), || {
        let row = |domain: &Domain| {
            let verified = domain.verified_at.and_then(|at| at.format(&Rfc3339).ok());
            [
                domain.hostname.clone(),
                verified.unwrap_or_else(|| "not yet".to_owned()),
            ]
        };
        let rows: Vec<[String; 2]> = domains.iter().map(row).collect();
        table(["DOMAIN", "VERIFIED"], &rows)
    })
}
