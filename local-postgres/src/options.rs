//! What a server is started with.

use std::path::PathBuf;

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where everything lies, such as `./.tenantry`. Made where it is absent.
    pub directory: PathBuf,
    /// The TCP port on 127.0.0.1; `None` serves the unix socket alone.
    pub port: Option<u16>,
    /// The directory of `postgres` and `initdb`, where they are not to be searched for.
    pub binaries: Option<PathBuf>,
    /// Whether the data must outlive a crash of the machine.
    pub durability: Durability,
    /// Most connections at once.
    pub max_connections: u16,
    /// Further settings as in `postgresql.conf`. They win over this crate's.
    pub settings: Vec<(String, String)>,
}

impl Options {
    /// A durable server on its unix socket, for a hundred connections.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            port: None,
            binaries: None,
            durability: Durability::Full,
            max_connections: 100,
            settings: Vec::new(),
        }
    }

    /// Everything that is given to `postgres -c`, later entries winning.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let listen = if self.port.is_some() { "127.0.0.1" } else { "" };
        let own = [("listen_addresses", listen)];
        let scratch = match self.durability {
            Durability::Full => &[][..],
            Durability::Scratch => &SCRATCH,
        };
        let fixed = HOUSE.iter().chain(&own).chain(scratch);
        fixed
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .chain([(
                "max_connections".to_owned(),
                self.max_connections.to_string(),
            )])
            .chain(self.settings.iter().cloned())
            .collect()
    }
}

/// Whether data outlives a crash of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// As PostgreSQL promises: what is committed stays.
    Full,
    /// Nothing is waited for and nothing survives a crash: for tests, twice as fast.
    Scratch,
}

const HOUSE: [(&str, &str); 10] = [
    // One tenant's schema takes some 285 locks to create; the default allows 22 at once.
    ("max_locks_per_transaction", "512"),
    // After a crash the whole file system is synced at once (PostgreSQL 14 and later, Linux), and not
    // file by file: ten thousand tenants have 331,000 files, and that took 25 s.
    ("recovery_init_sync_method", "syncfs"),
    // Short queries over many schemas: compiling one costs more than running it.
    ("jit", "off"),
    ("shared_buffers", "128MB"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    // The log says what the server does (starts, stops, checkpoints, crashes, refused logins), and
    // nothing of what it is asked: a failing statement's text can hold a password, its message and
    // its details what somebody wrote. Whoever sent it is answered all of that.
    ("log_line_prefix", "%m [%p] "),
    ("log_min_messages", "log"),
    ("log_min_error_statement", "panic"),
    ("log_error_verbosity", "terse"),
];

const SCRATCH: [(&str, &str); 5] = [
    ("fsync", "off"),
    ("synchronous_commit", "off"),
    ("full_page_writes", "off"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn last(options: &Options, name: &str) -> String {
        let settings = options.settings();
        settings
            .into_iter()
            .rfind(|(key, _)| key == name)
            .unwrap()
            .1
    }

    #[test]
    fn tcp_is_off_unless_a_port_is_given() {
        let mut options = Options::new("x");
        assert_eq!(last(&options, "listen_addresses"), "");
        options.port = Some(5432);
        assert_eq!(last(&options, "listen_addresses"), "127.0.0.1");
    }

    #[test]
    fn the_callers_settings_win() {
        let mut options = Options::new("x");
        options.settings.push(("jit".to_owned(), "on".to_owned()));
        assert_eq!(last(&options, "jit"), "on");
    }

    #[test]
    fn only_scratch_servers_forgo_fsync() {
        let mut options = Options::new("x");
        assert!(options.settings().iter().all(|(name, _)| name != "fsync"));
        options.durability = Durability::Scratch;
        assert_eq!(last(&options, "fsync"), "off");
    }
}
