//! `tenantry tenant create`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use control_plane::Application;
use secrecy::{ExposeSecret, SecretString};
use service::{Entropy, Minted, body::Text};

use super::ACTOR;
use crate::{database::Source, output::Output};

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
    /// File of the owner's password; `-` is standard input
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The tenant's name, for people [default: the slug]
    #[arg(long)]
    name: Option<String>,
    /// The plan's name
    #[arg(long, default_value = "free")]
    plan: String,
    /// A domain of the tenant's own, served once it is verified
    #[arg(long)]
    domain: Option<String>,
    #[command(flatten)]
    source: Source,
}

pub(super) async fn run(options: Options, output: Output) -> anyhow::Result<()> {
    let given = options.password_file.as_deref().map(read).transpose()?;
    let drawn = match given {
        Some(_) => None,
        None => Some(Minted::new(&Entropy::system()?, "").secret),
    };
    let password = given.or_else(|| drawn.clone()).unwrap_or_default();
    let application = Application {
        tenant_name: Text::Given(options.name.unwrap_or_else(|| options.slug.clone())),
        tenant_slug: Text::Given(options.slug),
        admin_username: Text::Given(options.username.clone()),
        admin_email: Text::Given(options.email),
        admin_password: Text::Given(password.expose_secret().to_owned()),
        domain: options.domain.map_or(Text::Missing, Text::Given),
        plan: Text::Given(options.plan),
    };
    let plane = options.source.control_plane().await?;
    let made = plane.sign_up(application, None, ACTOR).await?;
    let mut body = serde_json::to_value(&made)?;
    if let Some(drawn) = &drawn {
        body["admin"]["password"] = drawn.expose_secret().into();
    }
    output.result(&body, || {
        let mut lines = vec![format!("{} serves at {}", made.slug(), made.address())];
        if let Some(drawn) = &drawn {
            let (username, password) = (&options.username, drawn.expose_secret());
            lines.push(format!("{username}'s password is {password}"));
        }
        lines.join("\n")
    })
}

/// A password, without the line's end that editors put behind it.
fn read(path: &Path) -> anyhow::Result<SecretString> {
    let text = if path == Path::new("-") {
        std::io::read_to_string(std::io::stdin().lock())
    } else {
        std::fs::read_to_string(path)
    };
    let text = text.with_context(|| path.display().to_string())?;
    Ok(text.trim_end_matches(['\r', '\n']).into())
}
