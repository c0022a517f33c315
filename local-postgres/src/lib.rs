//! A private PostgreSQL server made from the system's binaries.
//!
//! [`start`] makes a data directory where there is none, serves it, and hands back a [`Server`]
//! that stops it. Everything lies below one directory: the data, the log, the superuser's
//! password and, where its path is short enough, the socket. No system cluster is touched.
//!
//! What it sees to, so that nobody else must:
//! - PostgreSQL refuses to run as root; then it runs under another account ([`start`] says which).
//! - A server whose starter was killed ends by itself, and if it could not, the next start ends
//!   it. A second start in a directory that is in use is refused.
//! - Ctrl-C in the terminal does not reach the server: it must outlive the services' drain.
//!
//! It refuses to upgrade data of another major version, to take a busy port, and to let anyone
//! in without a password, also over the socket.

mod account;
mod address;
mod binaries;
mod cluster;
mod error;
mod files;
mod keeper;
mod leftover;
mod options;
mod place;
mod postmaster;
mod server;
mod sockets;

pub use address::Address;
pub use binaries::{Binaries, find_binaries};
pub use error::Error;
pub use files::lock_file;
pub use options::{Durability, Options};
pub use server::{Server, running, start};
