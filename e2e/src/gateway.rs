//! The gateway: Debian's nginx under the configuration that production has, on other ports.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{net::TcpStream, process::Child};

use crate::process::{end, free_port, installed, until};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docker/nginx");

/// What is behind a gateway: the ports of the control plane, the data plane and the pages.
#[derive(Clone, Copy)]
pub struct Behind(pub u16, pub u16, pub u16);

/// A running nginx: a master and two workers.
pub struct Gateway {
    /// Where it takes requests for the API.
    pub api: u16,
    /// Where it takes requests for the pages.
    pub pages: u16,
    /// The same over TLS, where it has certificates.
    pub api_tls: u16,
    /// The pages over TLS.
    pub pages_tls: u16,
    health: u16,
    folder: PathBuf,
    settings: Vec<(String, String)>,
    process: Child,
}

impl Gateway {
    /// Starts one in front of both planes and the pages.
    pub async fn start(directory: &Path, behind: Behind) -> Self {
        Self::start_with(directory, behind, &[]).await
    }

    /// Starts one under some settings.
    pub async fn start_with(directory: &Path, behind: Behind, settings: &[(&str, &str)]) -> Self {
        Self::launch(directory, behind, settings, None).await
    }

    /// Starts one as the container does, with a watch beside it, from a copy of its files.
    pub async fn watched(
        directory: &Path,
        behind: Behind,
        settings: &[(&str, &str)],
        copy: &Path,
    ) -> Self {
        fs::create_dir_all(copy).unwrap();
        for file in fs::read_dir(SOURCES).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
        Self::launch(directory, behind, settings, Some(copy)).await
    }

    async fn launch(
        directory: &Path,
        behind: Behind,
        settings: &[(&str, &str)],
        watched: Option<&Path>,
    ) -> Self {
        let folder = directory.join("nginx");
        fs::create_dir_all(folder.join("state")).unwrap();
        let [api, pages, api_tls, pages_tls, health] = [(); 5].map(|()| free_port());
        let at = |port: u16| format!("127.0.0.1:{port}");
        let own = [
            ("API_LISTEN", at(api)),
            ("PAGES_LISTEN", at(pages)),
            ("API_TLS_LISTEN", at(api_tls)),
            ("PAGES_TLS_LISTEN", at(pages_tls)),
            ("HEALTH_LISTEN", at(health)),
            ("CONTROL_UPSTREAM", at(behind.0)),
            ("DATA_UPSTREAM", at(behind.1)),
            ("PAGES_UPSTREAM", at(behind.2)),
            ("GATEWAY_WORKERS", "2".to_owned()),
        ];
        let given = settings
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        let settings: Vec<(String, String)> = own
            .into_iter()
            .chain(given)
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let process = match watched {
            Some(copy) => spawn(&folder, &settings, |command| {
                command.arg("sh").arg(copy.join("start")).arg(&folder)
            }),
            None => {
                configure(&folder, &settings);
                spawn(&folder, &[], |command| {
                    command
                        .arg(installed("nginx"))
                        .args(["-e", "/dev/stderr", "-c", "nginx.conf", "-p"])
                        .arg(&folder)
                        .args(["-g", "daemon off;"])
                })
            }
        };
        let mut gateway = Self {
            process,
            api,
            pages,
            api_tls,
            pages_tls,
            health,
            folder,
            settings,
        };
        gateway.ready().await;
        gateway
    }

    async fn ready(&mut self) {
        let port = self.api;
        until("nginx", async || {
            if let Some(status) = self.process.try_wait().unwrap() {
                panic!("nginx ended with {status}:\n{}", self.complaints());
            }
            TcpStream::connect(("127.0.0.1", port)).await.is_ok()
        })
        .await;
    }

    /// Makes the configuration anew and lets nginx go on under it, as the container's watch does.
    pub fn reload(&self) {
        configure(&self.folder, &self.settings);
        let test = Command::new(installed("nginx"))
            .args(["-t", "-q", "-e", "/dev/stderr", "-c", "nginx.conf", "-p"])
            .arg(&self.folder)
            .output()
            .unwrap();
        assert!(
            test.status.success() && test.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&test.stderr)
        );
        kill_process(self.pid(), Signal::HUP).unwrap();
    }

    /// The lines of its access log.
    ///
    /// # Panics
    /// When one is no JSON.
    #[must_use]
    pub fn log(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.folder.join("state/access")).unwrap();
        // The last one may be half written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        whole.lines().map(line).collect()
    }

    /// What nginx and its watch complained of.
    #[must_use]
    pub fn complaints(&self) -> String {
        fs::read_to_string(self.folder.join("state/errors")).unwrap_or_default()
    }

    /// Waits until the log tells of a request, and returns that line.
    pub async fn logged(&self, id: &str) -> Value {
        self.line("request_id", id).await
    }

    /// Waits for a line of which a field says something, which is written once its request has
    /// been answered.
    pub async fn line(&self, field: &str, says: &str) -> Value {
        let mut found = None;
        until(&format!("a line whose {field} is {says}"), async || {
            found = self.log().into_iter().find(|line| line[field] == says);
            found.is_some()
        })
        .await;
        found.unwrap()
    }

    /// How many connections clients have to it, this question's included.
    pub async fn connections(&self) -> usize {
        let url = format!("http://127.0.0.1:{}/connections", self.health);
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        let number = text.split_whitespace().nth(2).unwrap();
        number.parse().unwrap()
    }

    fn pid(&self) -> Pid {
        let id = self.process.id().expect("it runs");
        Pid::from_raw(id.cast_signed()).unwrap()
    }
}

/// Workers outlive a master that is killed, so it is asked to stop.
impl Drop for Gateway {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

fn configure(folder: &Path, settings: &[(String, String)]) {
    let mut command = Command::new("sh");
    command
        .arg(format!("{SOURCES}/configure"))
        .arg(folder)
        .envs(
            settings
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// Under `setpriv`, so that nginx ends with a test that is killed too.
fn spawn(
    folder: &Path,
    settings: &[(String, String)],
    what: impl FnOnce(&mut tokio::process::Command) -> &mut tokio::process::Command,
) -> Child {
    let file = |name: &str| File::create(folder.join("state").join(name)).unwrap();
    let mut command = tokio::process::Command::new(installed("setpriv"));
    what(command.args(["--pdeathsig", "TERM"]));
    command
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .stdout(file("access"))
        .stderr(file("errors"))
        .spawn()
        .unwrap()
}
