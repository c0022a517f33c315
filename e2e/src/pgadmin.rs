//! pgAdmin as its package starts it: in server mode with a sign-in, on data of its own.

mod session;

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::{Child, Command};

pub use self::session::Session;
use crate::{
    browser::Browser,
    process::{free_port, run_with_input, start, until},
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const USER: &str = "admin@example.com";
const PASSWORD: &str = "operator password";

/// A running pgAdmin.
pub struct PgAdmin {
    port: u16,
    folder: PathBuf,
    _process: Child,
}

impl PgAdmin {
    /// Why it cannot run on this machine, if it cannot; `scripts/pgadmin` found out.
    #[must_use]
    pub fn unfit() -> Option<String> {
        fs::read_to_string(home().join("unfit")).ok()
    }

    /// Starts one that knows the servers which the container is given.
    pub async fn start(directory: &Path) -> Self {
        let folder = directory.join("pgadmin");
        fs::create_dir_all(&folder).unwrap();
        let port = free_port();
        fs::write(folder.join("config_local.py"), settings(&folder, port)).unwrap();
        let log = File::create(folder.join("log")).unwrap();
        let mut command = program("pgadmin4", &folder);
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let mut process = start(&mut command);
        until("pgAdmin", async || {
            if let Some(status) = process.try_wait().unwrap() {
                let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
                panic!("pgAdmin ended with {status}:\n{log}");
            }
            tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_ok()
        })
        .await;
        let servers = format!("{ROOT}/docker/pgadmin/servers.json");
        let load = ["load-servers", &servers, "--user", USER];
        let said = run(program("pgadmin4-cli", &folder).args(load), "").await;
        assert!(said.contains("1 Server(s)"), "{said}");
        Self {
            port,
            folder,
            _process: process,
        }
    }

    /// Adds the server of an inspection, given as `tenantry inspect --json` prints it.
    pub async fn add(&self, inspection: &str) {
        let mut command = program("python3", &self.folder);
        command
            .arg(format!("{ROOT}/docker/pgadmin/add-server"))
            .arg(USER);
        run(&mut command, inspection).await;
    }

    /// Signs in, in a browser of its own.
    pub async fn sign_in(&self) -> Session {
        let browser = Browser::start(true, 1280).await;
        Session::start(
            browser,
            &format!("http://127.0.0.1:{}/", self.port),
            USER,
            PASSWORD,
        )
        .await
    }
}

fn home() -> PathBuf {
    Path::new(ROOT).join("target/pgadmin")
}

/// A program of pgAdmin's package under the settings of a folder.
fn program(name: &str, folder: &Path) -> Command {
    let path = home().join("bin").join(name);
    assert!(
        home().join("complete").exists(),
        "pgAdmin is not installed: run scripts/pgadmin"
    );
    let mut command = Command::new(path);
    command
        .env("PYTHONPATH", folder)
        .env("PGADMIN_SETUP_EMAIL", USER)
        .env("PGADMIN_SETUP_PASSWORD", PASSWORD)
        .stdin(Stdio::null());
    command
}

/// Runs one to its end, with something on its standard input, and returns what it said.
async fn run(command: &mut Command, input: &str) -> String {
    let output = run_with_input(command, input).await;
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Nothing of it lies or asks outside.
fn settings(folder: &Path, port: u16) -> String {
    format!(
        "import os\n\
         DATA_DIR = {folder:?}\n\
         SQLITE_PATH = os.path.join(DATA_DIR, 'pgadmin4.db')\n\
         SESSION_DB_PATH = os.path.join(DATA_DIR, 'sessions')\n\
         STORAGE_DIR = os.path.join(DATA_DIR, 'storage')\n\
         AZURE_CREDENTIAL_CACHE_DIR = os.path.join(DATA_DIR, 'azure')\n\
         KERBEROS_CCACHE_DIR = os.path.join(DATA_DIR, 'kerberos')\n\
         LOG_FILE = os.path.join(DATA_DIR, 'pgadmin4.log')\n\
         SERVER_MODE = True\n\
         DEFAULT_SERVER_PORT = {port}\n\
         UPGRADE_CHECK_ENABLED = False\n\
         SHOW_GRAVATAR_IMAGE = False\n"
    )
}
