//! `tenantry tenant create`.

use clap::Args;
use control_plane::{Actor, Application};
use secrecy::ExposeSecret;
use service::{body::Text, password::Share};

use crate::{database::Source, output::Output, password::Password};

/// A tenant to be, and its owner.
#[derive(Args)]
#[command(
    after_help = "Without --password-file a password is drawn and printed, once.\n\n\
                  Example: tenantry tenant create acme --email ada@example.com"
)]
pub(super) struct Options {
    /// The tenant's slug
    slug: String,
    /// The owner's email address
    #[arg(long)]
    email: String,
    /// The owner's username
    #[arg(long, default_value = "owner")]
    username: String,
    #[command(flatten)]
    password: Password,
    /// The tenant's name, for people [default: the slug]
    #[arg(long)]
    name: Option<String>,
    /// The plan's name [default: the first of `tenantry plan list`]
    #[arg(long)]
    plan: Option<String>,
    /// A domain of the tenant's own, served once it is verified
    #[arg(long)]
    domain: Option<String>,
    #[command(flatten)]
    source: Source,
}

pub(super) async fn run(options: Options, output: Output) -> anyhow::Result<()> {
    let password = options.password.get()?;
    let application = Application {
        tenant_name: Text::Given(options.name.unwrap_or_else(|| options.slug.clone())),
        tenant_slug: Text::Given(options.slug),
        admin_username: Text::Given(options.username.clone()),
        admin_email: Text::Given(options.email),
        admin_password: password.text(),
        domain: options.domain.map_or(Text::Missing, Text::Given),
        plan: options.plan.map_or(Text::Missing, Text::Given),
        sign_in_code: false,
    };
    let plane = options.source.control_plane().await?;
    let made = plane
        .sign_up(application, None, &Actor::CommandLine, Share::operators())
        .await?;
    let mut body = serde_json::to_value(&made)?;
    if let Some(drawn) = password.drawn() {
        body["admin"]["password"] = drawn.expose_secret().into();
    }
    output.result(&body, || {
        let mut lines = vec![format!("{} serves at {}", made.slug(), made.address())];
        lines.extend(password.told(&options.username));
        lines.join("\n")
    })
}
