//! `tenantry tenant domain`.

use clap::{Args, Subcommand};
use control_plane::{ControlPlane, Domain, Holder};
use serde_json::json;
use tenancy::{Hostname, Slug};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{ACTOR, One};
use crate::{
    database::Source,
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
    #[command(
        after_help = "It is served once it is verified; unless it is, the claim ends after seven \
                      days. A claim keeps nobody else out.\n\n\
                      Example: tenantry tenant domain add acme app.example.com"
    )]
    Add(Named),
    /// Vouch that a domain is the tenant's, and serve it
    #[command(after_help = "Example: tenantry tenant domain verify acme app.example.com")]
    Verify(Named),
    /// Give a domain up
    #[command(after_help = "Example: tenantry tenant domain remove acme app.example.com")]
    Remove(Named),
    /// Find who has a domain verified and who claims it
    #[command(after_help = "Example: tenantry tenant domain holders app.example.com")]
    Holders(AnyDomain),
}

/// A domain, whosever it is.
#[derive(Args)]
struct AnyDomain {
    /// The host name
    hostname: String,
    #[command(flatten)]
    source: Source,
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
        let host = host(&self.hostname)?;
        let (plane, slug) = self.one.open().await?;
        Ok((plane, slug, host))
    }
}

fn host(text: &str) -> anyhow::Result<Hostname> {
    text.parse()
        .map_err(|fault| Usage(format!("'{text}' {fault}")).into())
}

pub(super) async fn run(options: Options, output: Output) -> anyhow::Result<()> {
    let (plane, slug) = match options.action {
        Action::Holders(any) => return holders(any, output).await,
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
            let state = state(domain.verified_at, domain.expires_at);
            [domain.hostname.clone(), at(domain.claimed_at), state]
        };
        let rows: Vec<[String; 3]> = domains.iter().map(row).collect();
        table(["DOMAIN", "CLAIMED", "VERIFIED"], &rows)
    })
}

async fn holders(any: AnyDomain, output: Output) -> anyhow::Result<()> {
    let host = host(&any.hostname)?;
    let plane = any.source.control_plane().await?;
    let holders = plane.domain_holders(&host).await?;
    output.result(&json!({ "hostname": host, "holders": holders }), || {
        let row = |holder: &Holder| {
            let state = state(holder.verified_at, holder.expires_at);
            [holder.slug.clone(), at(holder.claimed_at), state]
        };
        let rows: Vec<[String; 3]> = holders.iter().map(row).collect();
        table(["TENANT", "CLAIMED", "VERIFIED"], &rows)
    })
}

fn at(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_default()
}

fn state(verified: Option<OffsetDateTime>, expires: Option<OffsetDateTime>) -> String {
    match (verified, expires) {
        (Some(verified), _) => at(verified),
        (None, Some(expires)) => format!("not yet; the claim ends {}", at(expires)),
        (None, None) => "not yet".to_owned(),
    }
}
