//! `tenantry`: everything in one process, and everything an operator does.
//!
//! Commands on tenants work through the control plane's library on the database itself, so they
//! need no service to run; what they change is told to the services that do.

mod commands;
mod completions;
mod database;
mod doctor;
mod events;
mod failure;
mod inspect;
mod local;
mod migrate;
mod output;
mod password;
mod plan;
mod secrets;
mod tenant;
mod token;
mod up;
mod user;

use std::process::ExitCode;

use clap::FromArgMatches;
use service::settings::without_empty;

use crate::{
    commands::{Cli, Command},
    output::Output,
};

/// glibc's allocator keeps every buffer that a password was hashed in, one per thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut matches = without_empty(commands::command()).get_matches();
    let cli = Cli::from_arg_matches_mut(&mut matches).unwrap_or_else(|fault| fault.exit());
    let output = Output::new(cli.json);
    match run(cli.command, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            output.fault(&fault);
            failure::code(&fault)
        }
    }
}

fn run(command: Command, output: Output) -> anyhow::Result<()> {
    match command {
        // No client of the database.
        Command::Completions(options) => completions::run(&options),
        command => {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()?;
            let outcome = runtime.block_on(serve(command, output));
            // Whoever asked twice to stop does not wait for what still blocks a thread.
            runtime.shutdown_background();
            outcome
        }
    }
}

async fn serve(command: Command, output: Output) -> anyhow::Result<()> {
    match command {
        Command::Up(options) => up::run(*options, output).await,
        Command::Tenant(options) => tenant::run(options, output).await,
        Command::User(options) => user::run(options, output).await,
        Command::Inspect(options) => inspect::run(options, output).await,
        Command::Plan(options) => plan::run(options, output).await,
        Command::Events(options) => events::run(options, output).await,
        Command::Token(options) => token::run(options, output).await,
        Command::Migrate(options) => migrate::run(options, output).await,
        Command::Doctor(options) => doctor::run(&options, output).await,
        Command::Completions(_) => Ok(()),
    }
}
