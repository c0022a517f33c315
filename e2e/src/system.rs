//! `tenantry up`, in a directory of its own on ports of its own.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
};

use reqwest::{Client, RequestBuilder};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::process::{built, end, free_port, start, until};

/// Ports, and a directory that outlives the process.
pub struct System {
    /// Where the API listens.
    pub api: u16,
    /// Where the pages are.
    pub pages: u16,
    admin: u16,
    postgres: u16,
    settings: Vec<(&'static str, String)>,
    process: Option<Child>,
    client: Client,
    // Dropped last: the others are at work in it.
    directory: TempDir,
}

impl System {
    /// Starts one that has nothing yet.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts one under some settings.
    pub async fn start_with(settings: &[(&'static str, &str)]) -> Self {
        let mut system = Self {
            api: free_port(),
            pages: free_port(),
            admin: free_port(),
            postgres: free_port(),
            settings: settings
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
            directory: tempfile::Builder::new()
                .prefix("tenantry-e2e-")
                .tempdir()
                .unwrap(),
            process: None,
            client: Client::builder().no_proxy().build().unwrap(),
        };
        open(system.directory.path());
        system.launch().await;
        system
    }

    /// Starts it again, on what it left.
    pub async fn launch(&mut self) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log())
            .unwrap();
        let mut command = Command::new(built("tenantry"));
        command
            .arg("up")
            .current_dir(self.directory.path())
            .env("TENANTRY_DIR", self.data())
            .env("API_PORT", self.api.to_string())
            .env("PAGES_PORT", self.pages.to_string())
            .env("ADMIN_PORT", self.admin.to_string())
            .env("POSTGRES_PORT", self.postgres.to_string())
            .env("LOG_LEVEL", "warn")
            .env_remove("DATABASE_URL")
            .envs(
                self.settings
                    .iter()
                    .map(|(name, value)| (*name, value.as_str())),
            )
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        if let Some(binaries) = testkit::server::binaries() {
            command.env("POSTGRES_BIN_DIR", binaries);
        }
        self.process = Some(start(&mut command));
        let ready = format!("http://127.0.0.1:{}/health/ready", self.api);
        let client = self.client.clone();
        until(
            &format!("tenantry up; its log:\n{}", self.log().display()),
            async || {
                if let Some(status) = self.process.as_mut().and_then(|p| p.try_wait().unwrap()) {
                    let log = std::fs::read_to_string(self.log()).unwrap_or_default();
                    panic!("tenantry up ended with {status}:\n{log}");
                }
                client
                    .get(&ready)
                    .send()
                    .await
                    .is_ok_and(|answer| answer.status().is_success())
            },
        )
        .await;
    }

    /// Ends it at once, wherever it is: `kill -9`.
    pub fn kill(&self) {
        kill_process(self.pid(), Signal::KILL).unwrap();
    }

    /// Waits until a process that was killed is gone.
    pub async fn gone(&mut self) {
        let mut process = self.process.take().expect("it ran");
        process.wait().await.unwrap();
    }

    fn pid(&self) -> Pid {
        let id = self.process.as_ref().and_then(Child::id).expect("it runs");
        Pid::from_raw(id.cast_signed()).unwrap()
    }

    /// Asks it to stop, and says whether it ended well.
    pub async fn stop(&mut self) -> bool {
        kill_process(self.pid(), Signal::TERM).unwrap();
        let mut process = self.process.take().expect("it ran");
        process.wait().await.unwrap().success()
    }

    /// What a script prints that ends well. `tenantry` in it is the built one, and means this system.
    pub async fn run(&self, script: &str) -> String {
        let programs = built("tenantry").parent().unwrap().to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let places = [programs].into_iter().chain(testkit::server::binaries());
        let places = places.chain(std::env::split_paths(&path));
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", script])
            .current_dir(self.directory.path())
            .env("PATH", std::env::join_paths(places).unwrap())
            .env("TENANTRY_DIR", self.data())
            .env_remove("DATABASE_URL")
            .env_remove("CONTROL_DATABASE_URL")
            .kill_on_drop(true)
            .output()
            .await
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let fault = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {said}{fault}");
        said
    }

    /// A `POST` of JSON to the API.
    pub fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.client
            .post(format!("http://127.0.0.1:{}{path}", self.api))
            .json(body)
    }

    /// A `POST` of a form to the API.
    pub fn post_form(&self, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
        self.client
            .post(format!("http://127.0.0.1:{}{path}", self.api))
            .form(form)
    }

    /// A `GET` of the API.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client
            .get(format!("http://127.0.0.1:{}{path}", self.api))
    }

    /// Its state directory.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.directory.path().join(".tenantry")
    }

    /// A directory for what a test leaves behind.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Its output.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.directory.path().join("up.log")
    }

    /// A connection to its database, as the superuser.
    pub async fn database(&self) -> tokio_postgres::Client {
        let address = local_postgres::running(&self.data())
            .unwrap()
            .expect("PostgreSQL runs");
        let server: tenancy::db::Login = address.admin_url().parse().unwrap();
        testkit::database::connect(&server.at("tenantry"))
            .await
            .unwrap()
    }
}

impl Drop for System {
    /// Its private server ends with it, before the directory goes.
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            end(process);
        }
    }
}

/// PostgreSQL may run as another user, who must get through.
fn open(directory: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(directory, PermissionsExt::from_mode(0o711)).unwrap();
}
