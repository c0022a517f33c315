//! What can go wrong, each with what to do about it.

use std::{io, path::PathBuf};

use crate::binaries::OLDEST;

/// Why a server could not be started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No server program anywhere.
    #[error(
        "no PostgreSQL server found; looked for postgres and initdb in {}. Install it (Debian \
         and Ubuntu: apt-get install postgresql), or set POSTGRES_BIN_DIR to the directory that \
         holds both",
        .looked.join(", ")
    )]
    NoBinaries {
        /// The places looked at.
        looked: Vec<String>,
    },
    /// The server program is older than what the migrations need.
    #[error(
        "PostgreSQL {version} in {} is too old: {OLDEST} or newer is needed. Install one, or set \
         POSTGRES_BIN_DIR to its directory",
        .directory.display()
    )]
    TooOld {
        /// Where the programs are.
        directory: PathBuf,
        /// Their major version.
        version: u32,
    },
    /// A program that is there does not run.
    #[error("{} cannot be run: {cause}", .program.display())]
    CannotRun {
        /// The program.
        program: PathBuf,
        /// What it, or the system, said.
        cause: String,
    },
    /// The data is of another major version than the programs.
    #[error(
        "the data in {} was made by PostgreSQL {data}, but the server programs are PostgreSQL \
         {binaries}. Install PostgreSQL {data} (or set POSTGRES_BIN_DIR to it), upgrade the data \
         with pg_upgrade, or remove the directory to begin anew",
        .directory.display()
    )]
    OtherVersion {
        /// The data directory.
        directory: PathBuf,
        /// The data's major version.
        data: u32,
        /// The programs' major version.
        binaries: u32,
    },
    /// Something else listens there.
    #[error("port {port} on 127.0.0.1 is busy: {cause}. Set POSTGRES_PORT to a free one")]
    PortBusy {
        /// The port.
        port: u16,
        /// What the system said.
        cause: io::Error,
    },
    /// A file or directory of ours cannot be made, read or written.
    #[error("{}: {cause}. The server needs to write there", .path.display())]
    Files {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Another live process started a server here.
    #[error("{} is in use: another process has started the server there", .directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
    },
    /// The data is another user's.
    #[error(
        "{} belongs to another user (id {owner}). Start it as that user or as root, or choose \
         another directory",
        .directory.display()
    )]
    OtherOwner {
        /// The data directory.
        directory: PathBuf,
        /// Who owns it.
        owner: u32,
    },
    /// We are root, and no other account can serve the directory.
    #[error(
        "PostgreSQL refuses to run as root, and no other account can serve {}: {}. Move the \
         project to a directory that every user may enter (such as /srv), or start it as an \
         ordinary user",
        .directory.display(), .tried.join("; ")
    )]
    NoAccount {
        /// The directory.
        directory: PathBuf,
        /// The accounts tried, and why each failed.
        tried: Vec<String>,
    },
    /// There is data, but no password for it.
    #[error(
        "the data in {} is there, but its superuser's password is not in {}. Put the file back, \
         or remove the whole directory to begin anew",
        .data.display(), .secret.display()
    )]
    NoPassword {
        /// The data directory.
        data: PathBuf,
        /// Where the password should be.
        secret: PathBuf,
    },
    /// `initdb` failed.
    #[error("initdb could not make {}:\n{output}", .data.display())]
    Initdb {
        /// The data directory.
        data: PathBuf,
        /// The last of what it said.
        output: String,
    },
    /// The server ended before it took connections.
    #[error("PostgreSQL did not start; the end of {} says:\n{tail}", .log.display())]
    Start {
        /// The log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// The server is alive, but takes no connections.
    #[error(
        "PostgreSQL has taken no connections for {seconds} s; the end of {} says:\n{tail}",
        .log.display()
    )]
    Slow {
        /// How long was waited.
        seconds: u64,
        /// The log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// A server does not end.
    #[error("PostgreSQL (process {pid}) has not stopped within {seconds} s")]
    Stop {
        /// Its process id.
        pid: i32,
        /// How long was waited.
        seconds: u64,
    },
}
