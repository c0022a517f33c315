//! Programs from PyPI, each in an environment of its own; `scripts/python-tools` fetches them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use tokio::process::Command;

const TARGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target");

/// An environment.
pub struct Python(PathBuf);

impl Python {
    /// The environment of that name, or why this machine has none.
    ///
    /// # Errors
    /// When it could not be made.
    pub fn of(name: &str) -> Result<Self, String> {
        let home = Path::new(TARGET).join(name);
        if home.join("complete").exists() {
            return Ok(Self(home.join("bin")));
        }
        let unfit = fs::read_to_string(home.join("unfit"));
        Err(unfit.unwrap_or_else(|_| format!("absent: run scripts/python-tools {name}")))
    }

    /// Runs one of its programs to its end, in a directory.
    pub async fn run(&self, program: &str, arguments: &[&str], directory: &Path) -> Output {
        Command::new(self.0.join(program))
            .args(arguments)
            .current_dir(directory)
            .env("NO_PROXY", "*")
            .kill_on_drop(true)
            .output()
            .await
            .unwrap()
    }
}
