//! `tenantry token`: lets somebody, or something, operate over HTTP, and stops letting them.

use anyhow::Context;
use clap::{Args, Subcommand};
use control_plane::{Actor, Lifetime, MAX_DAYS, NewToken, TokenRecord};
use secrecy::ExposeSecret;
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use crate::{
    database::Source,
    failure::Usage,
    output::{Output, table},
    tenant::ACTOR,
};

/// Tokens asked for at once.
const PAGE: i64 = 200;

/// What to do to operators' tokens. Alone it creates one, as it did before there was more to do.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    create: Create,
}

#[derive(Subcommand)]
enum Action {
    /// Create a token; it is printed once
    #[command(
        after_help = "Only a digest of the token is kept. `token list` shows its id.\n\n\
                      Example: TOKEN=$(tenantry token create monitoring --days 30)"
    )]
    Create(Create),
    /// List tokens with their last use and their end
    #[command(after_help = "Example: tenantry token list")]
    List(List),
    /// Revoke a token; the next request with it is refused
    #[command(after_help = "Example: tenantry token revoke 0193a1f2-7c1e-7d2b-9c1a-3f5b8d2e4a60")]
    Revoke(Revoke),
}

/// A token to be made.
#[derive(Args)]
struct Create {
    /// Whose it is, for the record
    #[arg(default_value = "operator")]
    name: String,
    /// Days after which it ends [default: 90]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=i64::from(MAX_DAYS)))]
    days: Option<u16>,
    /// It does not end by itself
    #[arg(long, conflicts_with = "days")]
    never: bool,
    #[command(flatten)]
    source: Source,
}

impl Create {
    fn lifetime(&self) -> Lifetime {
        match self.days {
            _ if self.never => Lifetime::Never,
            Some(days) => Lifetime::Days(days),
            None => Lifetime::default(),
        }
    }
}

#[derive(Args)]
struct List {
    #[command(flatten)]
    source: Source,
}

#[derive(Args)]
struct Revoke {
    /// The token's id, as `token list` shows it
    id: String,
    #[command(flatten)]
    source: Source,
}

pub(crate) async fn run(options: Options, output: Output) -> anyhow::Result<()> {
    match options.action {
        None => create(options.create, output).await,
        Some(Action::Create(options)) => create(options, output).await,
        Some(Action::List(options)) => list(options, output).await,
        Some(Action::Revoke(options)) => revoke(options, output).await,
    }
}

async fn create(options: Create, output: Output) -> anyhow::Result<()> {
    let lifetime = options.lifetime();
    let Create { name, source, .. } = options;
    let new = NewToken { name, lifetime };
    let plane = source.control_plane().await?;
    let (secret, made) = plane.create_token(new, &Actor::CommandLine).await?;
    let body = json!({
        "token": secret.expose_secret(), "id": made.id, "name": made.name,
        "expires_at": made.expires_at.and_then(rfc3339),
    });
    output.result(&body, || secret.expose_secret().to_owned())
}

async fn list(options: List, output: Output) -> anyhow::Result<()> {
    let plane = options.source.control_plane().await?;
    let mut tokens: Vec<TokenRecord> = Vec::new();
    loop {
        let after = tokens.last().map(|last| last.id);
        let page = plane.tokens(after, PAGE).await?;
        let full = i64::try_from(page.len()).is_ok_and(|found| found == PAGE);
        tokens.extend(page);
        if !full {
            break;
        }
    }
    output.result(&json!({ "tokens": tokens }), || {
        let rows: Vec<[String; 5]> = tokens.iter().map(row).collect();
        table(["ID", "NAME", "BY", "LAST USED", "ENDS"], &rows)
    })
}

async fn revoke(options: Revoke, output: Output) -> anyhow::Result<()> {
    let Revoke { id, source } = options;
    let id: Uuid = id
        .parse()
        .map_err(|_| Usage(format!("'{id}' is no id of a token")))
        .context("`tenantry token list` shows them")?;
    let plane = source.control_plane().await?;
    let revoked = plane.revoke_token(id, ACTOR).await?;
    output.result(&revoked, || format!("{} is revoked.", revoked.name))
}

fn row(token: &TokenRecord) -> [String; 5] {
    let ends = match (token.revoked_at, token.expires_at) {
        (Some(at), _) => format!("revoked {}", rfc3339(at).unwrap_or_default()),
        (None, Some(at)) => rfc3339(at).unwrap_or_default(),
        (None, None) => "never".to_owned(),
    };
    [
        token.id.to_string(),
        token.name.clone(),
        token.created_by.clone().unwrap_or_default(),
        token
            .last_used_at
            .and_then(rfc3339)
            .unwrap_or_else(|| "never".to_owned()),
        ends,
    ]
}

fn rfc3339(at: OffsetDateTime) -> Option<String> {
    at.format(&Rfc3339).ok()
}
