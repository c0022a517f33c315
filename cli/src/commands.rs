//! What can be asked on the command line.

use clap::{CommandFactory, Parser, Subcommand};

/// Multi-tenant back end: one PostgreSQL schema per tenant, an OAuth 2.0 server for each.
#[derive(Parser)]
#[command(
    name = "tenantry",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 not possible as \
                  things are.\n\nExample: tenantry up"
)]
pub(crate) struct Cli {
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve everything in one process, on a private PostgreSQL
    Up(Box<crate::up::Options>),
    /// Create, show and change tenants
    Tenant(crate::tenant::Options),
    /// Let somebody sign in to a tenant
    User(crate::user::Options),
    /// Look into one tenant's schema with psql or pgAdmin, for a while
    Inspect(crate::inspect::Options),
    /// List plans, change them, and say which a stranger may choose
    Plan(crate::plan::Options),
    /// Create, list and revoke operators' tokens for the API under /control/v1
    Token(crate::token::Options),
    /// Show what was done to the platform itself: to plans and operators' tokens
    Events(crate::events::Options),
    /// See to the migrations, of the registry and of every tenant
    Migrate(crate::migrate::Options),
    /// Look for what keeps this machine from serving
    Doctor(crate::doctor::Options),
    /// Print completions for a shell
    Completions(crate::completions::Options),
}

/// The whole command line. `up` is for people, so that its logs are too, and few; and it always
/// makes the database ready, for which the control plane's login is not enough.
pub(crate) fn command() -> clap::Command {
    Cli::command().mut_subcommand("up", |up| {
        up.mut_arg("log_format", |log| log.default_value("pretty"))
            .mut_arg("log_level", |level| level.default_value("warn"))
            .mut_arg("control_database_url", |url| url.hide(true))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        fn check(command: &clap::Command) {
            if command.get_subcommands().next().is_none() && !command.is_hide_set() {
                let help = command.get_after_help().map(ToString::to_string);
                let example = help.unwrap_or_default().contains("Example: ");
                assert!(example, "{} has none", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&command());
    }
}
