//! Where a server is reached.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// The superuser's name.
pub(crate) const SUPERUSER: &str = "postgres";

/// Where a running server is reached, and the superuser's password.
#[derive(Clone)]
pub struct Address {
    pub(crate) socket_directory: PathBuf,
    pub(crate) port: u16,
    pub(crate) tcp: bool,
    pub(crate) password: String,
}

impl Address {
    /// The superuser's URL for the database `postgres`, over the unix socket.
    ///
    /// It holds the password: not for logs.
    #[must_use]
    pub fn admin_url(&self) -> String {
        self.url(SUPERUSER, &self.password, SUPERUSER)
    }

    /// A URL over the unix socket, as libpq and tokio-postgres read it.
    #[must_use]
    pub fn url(&self, user: &str, password: &str, database: &str) -> String {
        let host = escape(&self.socket_directory.to_string_lossy());
        let (user, password, database) = (escape(user), escape(password), escape(database));
        format!(
            "postgres://{user}:{password}@{host}:{}/{database}",
            self.port
        )
    }

    /// The directory of the unix socket.
    #[must_use]
    pub fn socket_directory(&self) -> &Path {
        &self.socket_directory
    }

    /// The TCP port on 127.0.0.1; `None` where only the unix socket is served.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.tcp.then_some(self.port)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Address");
        shown
            .field("socket_directory", &self.socket_directory)
            .field("port", &self.port());
        shown.finish_non_exhaustive()
    }
}

/// Percent-encodes all but the characters that stand for themselves anywhere in a URL.
fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> Address {
        Address {
            socket_directory: "/a b/run".into(),
            port: 5433,
            tcp: false,
            password: "p@ss".to_owned(),
        }
    }

    #[test]
    fn urls_survive_odd_characters() {
        let config: tokio_postgres::Config = address().admin_url().parse().unwrap();
        assert_eq!(
            config.get_hosts(),
            [tokio_postgres::config::Host::Unix("/a b/run".into())]
        );
        assert_eq!(config.get_password(), Some(&b"p@ss"[..]));
        assert_eq!(config.get_ports(), [5433]);
    }

    #[test]
    fn the_password_is_not_shown() {
        assert!(!format!("{:?}", address()).contains("p@ss"));
    }
}
