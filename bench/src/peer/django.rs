//! django-tenants with django-oauth-toolkit: one schema per tenant on PostgreSQL, in Python.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context;
use tokio::{net::TcpStream, process::Command};

use super::Measured;
use crate::{
    database::Database,
    load::{self, Figures, Judge, Load, Mix, Request, Traffic, median},
    memory, nginx,
    options::Options,
    process::{self, Service},
    scratch::{Scratch, free_ports},
};

/// Everything the peer runs, as it stands in the source tree.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/django");
const REQUIREMENTS: &str = include_str!("../../peers/django/requirements.txt");
const DATABASE: &str = "bench_django";
/// The same in peers/django/fleet.py.
const SECRET: &str = "a-client-secret-of-enough-entropy";
/// Tenants created the long way, by migrations; the others are cloned.
const CREATED: u16 = 8;

/// The peer's parts and versions, as pinned.
pub(super) fn name() -> String {
    let pinned = |package: &str| {
        REQUIREMENTS
            .lines()
            .find_map(|line| line.strip_prefix(package)?.strip_prefix("=="))
            .unwrap_or("?")
    };
    format!(
        "django-tenants {} + django-oauth-toolkit {}",
        pinned("django-tenants"),
        pinned("django-oauth-toolkit")
    )
}

/// Sets the peer up, measures it, and takes it down.
pub(super) async fn measure(
    scratch: &Scratch,
    database: &Database,
    options: &Options,
) -> anyhow::Result<Measured> {
    let peer = Peer {
        python: virtualenv().await.context("its Python packages")?,
        folder: scratch.path("django"),
        tenants: options.tenants,
        environment: database.environment(DATABASE),
    };
    copy(Path::new(SOURCES), &peer.folder)?;
    database.create(DATABASE).await?;
    eprintln!("bench: creating the peer's tenants");
    let (create_ms, clone_ms) = peer.fleet().await?;
    let ([protected, notes, token], memory_bytes) = peer.load(scratch, options).await?;
    let migrate_nothing_s = peer.migrate().await?;
    std::fs::copy(
        peer.folder.join("pending/0002_extra.py"),
        peer.folder.join("notes/migrations/0002_extra.py"),
    )?;
    let migrate_s = peer.migrate().await?;
    database.drop(DATABASE).await?;
    Ok(Measured {
        create_ms,
        clone_ms,
        migrate_s,
        migrate_nothing_s,
        memory_bytes,
        protected,
        notes,
        token,
    })
}

struct Peer {
    python: PathBuf,
    folder: PathBuf,
    tenants: u16,
    environment: Vec<(&'static str, String)>,
}

impl Peer {
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.python.with_file_name(program));
        command
            .current_dir(&self.folder)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// Creates and fills the tenants; how long one takes by migrations and by cloning.
    async fn fleet(&self) -> anyhow::Result<(f64, f64)> {
        let last = self.tenants - 1;
        let by_migrations = CREATED.min(self.tenants);
        process::output(self.command("python").args([
            "manage.py",
            "migrate_schemas",
            "--shared",
            "-v0",
        ]))
        .await?;
        process::output(self.command("python").args(["fleet.py", "base"])).await?;
        let created = self.create(0, by_migrations - 1, false).await?;
        let cloned = if by_migrations <= last {
            self.create(by_migrations, last, true).await?
        } else {
            created
        };
        process::output(
            self.command("python")
                .args(["fleet.py", "fill", "0", &last.to_string()]),
        )
        .await?;
        Ok((created, cloned))
    }

    async fn create(&self, first: u16, last: u16, clone: bool) -> anyhow::Result<f64> {
        let mut command = self.command("python");
        command.args(["fleet.py", "create", &first.to_string(), &last.to_string()]);
        if clone {
            command.env("CLONE", "1");
        }
        let printed = process::output(&mut command).await?;
        let times: Vec<f64> = serde_json::from_str(printed.trim()).context("times of creation")?;
        median(times.into_iter()).context("no tenant was created")
    }

    /// Serves and measures; the server has gone when this returns.
    async fn load(
        &self,
        scratch: &Scratch,
        options: &Options,
    ) -> anyhow::Result<([Figures; 3], u64)> {
        let socket = scratch.path("uwsgi.sock");
        let mut server = self.serve(scratch, &socket)?;
        let [port] = free_ports()?;
        let upstream = nginx::Upstream::Uwsgi(socket);
        let sites = [nginx::Site {
            listen: port,
            upstream,
        }];
        let _nginx = nginx::start(scratch, "nginx-django", &sites).await?;
        let rows = self.rows(scratch)?;
        server
            .ready(Duration::from_secs(30), async || {
                TcpStream::connect(("127.0.0.1", port)).await.is_ok()
                    && rows[0].0.try_once(port, rows[0].1).await.is_ok()
            })
            .await?;
        let mut windows = [const { Vec::new() }; 3];
        for (load, good) in &rows {
            load.try_once(port, *good).await?;
        }
        for _ in 0..options.rounds() {
            for ((load, _), windows) in rows.iter().zip(&mut windows) {
                windows.push(load.window(port, options).await?);
            }
        }
        let memory = memory::family(server.id().context("uWSGI has ended")?)?;
        let [protected, notes, token] =
            windows.map(|windows| Figures::of(&windows).context("no window"));
        Ok(([protected?, notes?, token?], memory))
    }

    fn serve(&self, scratch: &Scratch, socket: &Path) -> anyhow::Result<Service> {
        let mut command = self.command("uwsgi");
        command.arg("--socket").arg(socket);
        command.args([
            "--chmod-socket=666",
            "--listen",
            "100",
            "--master",
            "--processes",
            "4",
        ]);
        command.args(["--need-app", "--disable-logging", "--die-on-term"]);
        command.args(["--module", "peer.wsgi:application"]);
        Service::start("uwsgi", &mut command, scratch.path("uwsgi.log"))
    }

    /// What is measured, and what an answer must hold.
    fn rows(&self, scratch: &Scratch) -> anyhow::Result<[(Load, Judge); 3]> {
        let traffic = |make: fn(u16) -> Request| Traffic {
            requests: (0..self.tenants)
                .map(|number| make(number).with("Host", format!("t{number}.localhost")))
                .collect(),
            mix: Mix::Uniform,
        };
        let load = |name, make| Load::new(scratch, name, &traffic(make));
        Ok([
            (
                load("django-protected", |n| get("/api/protected", n))?,
                load::object,
            ),
            (load("django-notes", |n| get("/api/notes", n))?, load::page),
            (load("django-token", token_request)?, load::token),
        ])
    }

    /// Brings every tenant up to the newest migration; how many seconds that took.
    async fn migrate(&self) -> anyhow::Result<f64> {
        let started = Instant::now();
        let mut command = self.command("python");
        command.args(["manage.py", "migrate_schemas", "--tenant", "-v0"]);
        command.args(["--executor", "multiprocessing"]);
        process::output(&mut command).await?;
        Ok(started.elapsed().as_secs_f64())
    }
}

fn get(path: &str, number: u16) -> Request {
    let token = format!("Bearer token{number}-abcdefghijklmnopqrstuvwxyz");
    Request::get(path).with("Authorization", token)
}

fn token_request(number: u16) -> Request {
    let form = format!(
        "grant_type=client_credentials&scope=read&client_id=client{number}&client_secret={SECRET}"
    );
    Request::post_form("/oauth/token", form)
}

/// The peer's packages, kept from run to run until the pinned versions change.
async fn virtualenv() -> anyhow::Result<PathBuf> {
    let folder = crate::run::target_folder().join("bench/django");
    let (python, mark) = (folder.join("bin/python"), folder.join("requirements.txt"));
    if std::fs::read_to_string(&mark).is_ok_and(|installed| installed == REQUIREMENTS) {
        return Ok(python);
    }
    eprintln!("bench: installing the peer's packages (once)");
    process::output(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
    )
    .await?;
    process::output(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "-r",
            ])
            .arg(Path::new(SOURCES).join("requirements.txt")),
    )
    .await?;
    // Written last: a set-up that was interrupted starts over.
    std::fs::write(mark, REQUIREMENTS)?;
    Ok(python)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| format!("{}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_carries_the_pinned_versions() {
        assert!(!name().contains('?'), "{}", name());
    }

    #[test]
    fn the_secret_is_the_one_that_the_fleet_was_given() {
        let fleet = std::fs::read_to_string(Path::new(SOURCES).join("fleet.py")).unwrap();
        assert!(fleet.contains(SECRET));
    }
}
