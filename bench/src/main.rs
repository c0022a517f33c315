//! `cargo run --release -p bench`: see README.md for how to read the table.

#![allow(
    clippy::print_stderr,
    reason = "a program: its faults go to the terminal"
)]

use std::process::ExitCode;

use bench::{Cli, Outcome};
use clap::Parser;

fn main() -> ExitCode {
    match bench::main(Cli::parse()) {
        Ok(Outcome::Met) => ExitCode::SUCCESS,
        Ok(Outcome::Missed) => ExitCode::from(1),
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::from(2)
        }
    }
}
