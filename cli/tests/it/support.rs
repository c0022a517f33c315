//! Running the program beside a database of the test's own.

use std::{path::Path, process::Output};

use secrecy::ExposeSecret;
use serde_json::Value;
use tempfile::TempDir;
use testkit::database::TestDatabase;
use tokio::process::Command;

/// The program, with nothing in its environment that the machine happens to have.
pub(crate) fn program(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command
        .env_remove("DATABASE_URL")
        .env_remove("CONTROL_DATABASE_URL")
        .env("TENANTRY_DIR", directory)
        .env("RUST_BACKTRACE", "0")
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    command
}

/// A directory that a server of another account can reach its own files through.
pub(crate) fn directory() -> TempDir {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};
    tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o711))
        .tempdir()
        .unwrap()
}

/// What became of a command.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The output of a command that succeeded, as JSON.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{}", self.err);
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no JSON: {}", self.out))
    }
}

/// A database that is ready, and a directory for secrets.
pub(crate) struct TestCli {
    pub(crate) database: TestDatabase,
    pub(crate) directory: TempDir,
}

impl TestCli {
    pub(crate) async fn new() -> Self {
        Self {
            database: TestDatabase::create().await.unwrap(),
            directory: directory(),
        }
    }

    /// The program on the database.
    pub(crate) fn command(&self) -> Command {
        self.command_on(&self.database.admin_url().unwrap())
    }

    /// The program on another database of the same server.
    pub(crate) fn command_on(&self, url: &str) -> Command {
        let logins = self.database.logins();
        let mut command = program(self.directory.path());
        command
            .env("DATABASE_URL", url)
            .env("CONTROL_PASSWORD", logins.control.expose_secret())
            .env("DATA_PASSWORD", logins.data.expose_secret());
        command
    }

    pub(crate) async fn run(&self, words: &str) -> Ran {
        let mut command = self.command();
        command.args(words.split_whitespace());
        Ran::of(command.output().await.unwrap())
    }

    /// Creates a tenant that a test needs to be there.
    pub(crate) async fn tenant(&self, slug: &str) -> Value {
        let words = format!("tenant create {slug} --email ada@example.com --json");
        self.run(&words).await.json()
    }
}
