//! Starting a private PostgreSQL server from the system's binaries.

use std::{
    os::unix::fs::chown,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, ensure};
use rustix::process::Signal;
use tokio::process::Command;
use tokio_postgres::NoTls;

use super::ADMIN;
use crate::process::{self, Service};

/// What one small machine in production would have; fsync stays on.
const SETTINGS: [&str; 6] = [
    "listen_addresses=",
    "max_connections=200",
    "max_locks_per_transaction=1024",
    "shared_buffers=128MB",
    "max_wal_size=4GB",
    "jit=off",
];

/// Makes a data directory below a folder, which is made as well.
pub(super) async fn initialize(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir(folder)?;
    if let Some((uid, gid)) = user()? {
        chown(folder, Some(uid), Some(gid))?;
    }
    let mut initdb = command("initdb", folder)?;
    initdb.args([
        "--username",
        ADMIN,
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
    ]);
    process::output(&mut initdb).await.map(drop)
}

/// The version of the server programs, such as `15.14`.
pub(super) async fn version() -> anyhow::Result<String> {
    let mut postgres = Command::new(binaries()?.join("postgres"));
    let said = process::output(postgres.arg("--version")).await?;
    let version = said.split_whitespace().nth(2);
    Ok(version.context("no version of PostgreSQL")?.to_owned())
}

/// A server program at the data directory below a folder.
fn command(program: &str, folder: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(binaries()?.join(program));
    command
        .current_dir(folder)
        .arg("-D")
        .arg(folder.join("data"));
    if let Some((uid, gid)) = user()? {
        command.uid(uid).gid(gid);
    }
    Ok(command)
}

/// Serves the data directory below a folder on a socket in the folder.
pub(super) async fn start(folder: &Path, port: u16) -> anyhow::Result<Service> {
    let mut postgres = command("postgres", folder)?;
    postgres.arg("-c").arg(format!("port={port}"));
    postgres
        .arg("-c")
        .arg(format!("unix_socket_directories={}", folder.display()));
    postgres.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
    let mut server = Service::start("postgres", &mut postgres, folder.join("log"))?
        // Which makes it end its clients instead of waiting for them.
        .stopped_by(Signal::INT);
    // The socket is there before the server takes logins, so only a login will do.
    let dsn = format!(
        "host='{}' port={port} user={ADMIN} dbname=postgres",
        folder.display()
    );
    server
        .ready(Duration::from_mins(5), async || {
            tokio_postgres::connect(&dsn, NoTls).await.is_ok()
        })
        .await?;
    Ok(server)
}

/// The directory of the server's binaries: `POSTGRES_BIN`, or the newest that Debian installed.
fn binaries() -> anyhow::Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("POSTGRES_BIN") {
        return Ok(chosen.into());
    }
    let installed = std::fs::read_dir("/usr/lib/postgresql").context(MISSING)?;
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    installed
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("bin/postgres").exists())
        .max_by_key(version)
        .map(|path| path.join("bin"))
        .context(MISSING)
}

const MISSING: &str = "no PostgreSQL server: install Debian's package 'postgresql', or set \
                       POSTGRES_BIN to the directory of initdb and postgres";

/// PostgreSQL refuses to run as root: then it runs as the user that its package made.
fn user() -> anyhow::Result<Option<(u32, u32)>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let passwd = std::fs::read_to_string("/etc/passwd")?;
    let line = passwd.lines().find(|line| line.starts_with("postgres:"));
    let fields: Vec<&str> = line.context("no user 'postgres'")?.split(':').collect();
    ensure!(fields.len() > 3, "/etc/passwd is not as expected");
    Ok(Some((fields[2].parse()?, fields[3].parse()?)))
}
