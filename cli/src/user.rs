//! `tenantry user`: help for a tenant that nobody can sign in to.

use clap::{Args, Subcommand, ValueEnum};
use control_plane::{Member, NewMember};
use secrecy::ExposeSecret;
use service::body::Text;

use crate::{
    output::Output,
    password::{Got, Password},
    tenant::{ACTOR, One},
};

/// What to do to a tenant's users.
#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Add a user to a tenant
    #[command(
        after_help = "Without --password-file a password is drawn and printed, once.\n\n\
                            Example: tenantry user create acme grace --email grace@example.com"
    )]
    Create(Create),
    /// Set a user's password, end their sessions and revoke their tokens
    #[command(
        name = "reset-password",
        after_help = "Without --password-file a password is drawn and printed, once.\n\n\
                      Example: tenantry user reset-password acme owner"
    )]
    ResetPassword(Reset),
}

#[derive(Args)]
struct Create {
    #[command(flatten)]
    one: One,
    /// The username
    username: String,
    /// The email address
    #[arg(long)]
    email: String,
    /// What they may do
    #[arg(long, value_enum, default_value_t = Role::User)]
    role: Role,
    #[command(flatten)]
    password: Password,
}

#[derive(Args)]
struct Reset {
    #[command(flatten)]
    one: One,
    /// Username or email address
    user: String,
    #[command(flatten)]
    password: Password,
}

#[derive(Clone, Copy, ValueEnum)]
enum Role {
    /// Decides everything
    Owner,
    /// Administers users and clients
    Admin,
    /// Uses the tenant
    User,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::User => "user",
        }
    }
}

pub(crate) async fn run(options: Options, output: Output) -> anyhow::Result<()> {
    match options.action {
        Action::Create(options) => create(options, output).await,
        Action::ResetPassword(options) => reset(options, output).await,
    }
}

async fn create(options: Create, output: Output) -> anyhow::Result<()> {
    let password = options.password.get()?;
    let (plane, slug) = options.one.open().await?;
    let new = NewMember {
        username: Text::Given(options.username),
        email: Text::Given(options.email),
        password: password.text(),
        role: Text::Given(options.role.as_str().to_owned()),
    };
    show(
        &plane.create_user(&slug, new, ACTOR).await?,
        &password,
        output,
    )
}

async fn reset(options: Reset, output: Output) -> anyhow::Result<()> {
    let password = options.password.get()?;
    let (plane, slug) = options.one.open().await?;
    let member = plane
        .reset_password(&slug, &options.user, password.text(), ACTOR)
        .await?;
    show(&member, &password, output)
}

fn show(member: &Member, password: &Got, output: Output) -> anyhow::Result<()> {
    let mut body = serde_json::to_value(member)?;
    if let Some(drawn) = password.drawn() {
        body["password"] = drawn.expose_secret().into();
    }
    output.result(&body, || {
        let Member {
            username,
            email,
            role,
            ..
        } = member;
        let mut lines = vec![format!("{username} ({email}), {role}")];
        lines.extend(password.told(username));
        lines.join("\n")
    })
}
