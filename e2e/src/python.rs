//! Programs from PyPI, each in an environment of its own; `scripts/python-tools` fetches them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use tokio::process::Command;

use crate::process::run_with_input;

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

    /// Runs a script to its end, which is to be a good one, with something on its standard input,
    /// and returns what it said.
    pub async fn tell(&self, script: &Path, input: &str) -> String {
        let mut command = Command::new(self.0.join("python"));
        command
            .arg(script)
            .env("NO_PROXY", "*")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            // oauthlib asks for this where there is no TLS.
            .env("OAUTHLIB_INSECURE_TRANSPORT", "1");
        let output = run_with_input(&mut command, input).await;
        String::from_utf8(output.stdout).unwrap()
    }
}
