//! How a login reaches the database: libpq's URL, TLS included.
//!
//! `sslmode` is read more strictly than libpq reads it: whoever asks for TLS gets the server's
//! certificate checked, its name included. `require` and `verify-ca`, which leave out one or the
//! other, do the same as `verify-full`. Without one of the three nothing is encrypted.

use std::{net::IpAddr, path::PathBuf, str::FromStr, sync::Arc};

use percent_encoding::percent_decode_str;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem, pem::PemObject as _},
};
use tokio_postgres::{
    Client, Config, Connection, Socket,
    config::{Host, SslMode},
    tls::MakeTlsConnect,
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// libpq's word for the roots that the machine trusts.
const SYSTEM: &str = "system";

/// A login at a database; cheap to clone.
#[derive(Clone)]
pub struct Login {
    pub(crate) config: Config,
    pub(crate) tls: MakeRustlsConnect,
}

/// What drives a connection; a task has to.
pub type Driver = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// Why a URL leads to no database.
#[derive(Debug, thiserror::Error)]
pub enum BadUrl {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(#[from] tokio_postgres::Error),
    /// There is no such mode.
    #[error("sslmode={0} is not one of disable, allow, prefer, require, verify-ca, verify-full")]
    Mode(String),
    /// Certificates are named, and would not be looked at.
    #[error("sslrootcert is for sslmode=verify-full")]
    UnusedRoots,
    /// The certificates to trust are not to be had.
    #[error("sslrootcert={0}: {1}")]
    Roots(String, String),
}

impl FromStr for Login {
    type Err = BadUrl;

    /// Reads `postgres://user:password@host:port/database?sslmode=verify-full&sslrootcert=file`,
    /// or the same as words, `host=… sslmode=…`. Certificates are read now, and not again.
    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let (rest, mode, roots) = take_tls(text);
        let mut config: Config = rest.parse()?;
        let encrypted = match mode.as_deref() {
            None | Some("disable" | "allow" | "prefer") => false,
            Some("require" | "verify-ca" | "verify-full") => true,
            Some(other) => return Err(BadUrl::Mode(other.to_owned())),
        };
        if !encrypted {
            return match roots {
                Some(_) => Err(BadUrl::UnusedRoots),
                None => Ok(config.into()),
            };
        }
        config.ssl_mode(SslMode::Require);
        let tls = connector(trusted(roots.as_deref().unwrap_or(SYSTEM))?);
        Ok(Self { config, tls })
    }
}

/// Without TLS.
impl From<Config> for Login {
    fn from(mut config: Config) -> Self {
        config.ssl_mode(SslMode::Disable);
        let tls = connector(RootCertStore::empty());
        Self { config, tls }
    }
}

impl Login {
    /// Another login at the same database.
    #[must_use]
    pub fn with(&self, user: &str, password: &str) -> Self {
        let mut other = self.clone();
        other.config.user(user).password(password);
        other
    }

    /// The same login at another database of the server.
    #[must_use]
    pub fn at(&self, database: &str) -> Self {
        let mut other = self.clone();
        other.config.dbname(database);
        other
    }

    /// The same under a name that the server shows beside its connections.
    #[must_use]
    pub fn named(&self, application: &str) -> Self {
        let mut other = self.clone();
        other.config.application_name(application);
        other
    }

    /// The database's name.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        self.config.get_dbname()
    }

    /// The host and port to which connections go first.
    #[must_use]
    pub fn address(&self) -> (String, u16) {
        let host = match (self.config.get_hosts(), self.config.get_hostaddrs()) {
            ([Host::Tcp(name), ..], _) => name.clone(),
            ([Host::Unix(path), ..], _) => path.display().to_string(),
            ([], addresses) => addresses
                .first()
                .map_or_else(|| "localhost".to_owned(), IpAddr::to_string),
        };
        let port = self.config.get_ports().first().copied();
        (host, port.unwrap_or(5432))
    }

    /// Whether connections are encrypted, and the server's certificate checked.
    #[must_use]
    pub fn encrypted(&self) -> bool {
        self.config.get_ssl_mode() == SslMode::Require
    }

    /// Connects. A task has to drive the connection.
    ///
    /// # Errors
    /// When the server cannot be reached, is not who it should be, or refuses.
    pub async fn connect(&self) -> Result<(Client, Driver), tokio_postgres::Error> {
        self.config.connect(self.tls.clone()).await
    }
}

/// Takes the two parameters of TLS, which the database's client does not know, out of a URL.
fn take_tls(text: &str) -> (String, Option<String>, Option<String>) {
    let (mut mode, mut roots) = (None, None);
    let mut is_left = |word: &&str| {
        let Some((name, value)) = word.split_once('=') else {
            return true;
        };
        let value = || Some(percent_decode_str(value).decode_utf8_lossy().into_owned());
        match name {
            "sslmode" => mode = value(),
            "sslrootcert" => roots = value(),
            _ => return true,
        }
        false
    };
    let rest = if !text.contains("://") {
        let words: Vec<&str> = text.split(' ').filter(&mut is_left).collect();
        words.join(" ")
    } else if let Some((address, query)) = text.split_once('?') {
        let left: Vec<&str> = query.split('&').filter(&mut is_left).collect();
        format!("{address}?{}", left.join("&"))
    } else {
        text.to_owned()
    };
    (rest.trim_end_matches('?').to_owned(), mode, roots)
}

fn trusted(roots: &str) -> Result<RootCertStore, BadUrl> {
    let fault = |cause: &dyn std::fmt::Display| BadUrl::Roots(roots.to_owned(), cause.to_string());
    let mut store = RootCertStore::empty();
    if roots == SYSTEM {
        let found = rustls_native_certs::load_native_certs();
        store.add_parsable_certificates(found.certs);
    } else {
        let file = PathBuf::from(roots);
        let found: Result<Vec<_>, pem::Error> =
            CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
        for certificate in found.map_err(|cause| fault(&cause))? {
            store.add(certificate).map_err(|cause| fault(&cause))?;
        }
    }
    if store.is_empty() {
        return Err(fault(&"no certificate is there"));
    }
    Ok(store)
}

#[expect(clippy::expect_used, reason = "ring has suites for both versions")]
fn connector(roots: RootCertStore) -> MakeRustlsConnect {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("suites for the versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    MakeRustlsConnect::new(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(url: &str) -> String {
        url.parse::<Login>().err().unwrap().to_string()
    }

    #[test]
    fn nothing_is_encrypted_unless_asked_for() {
        for query in ["", "?sslmode=disable", "?sslmode=prefer&application_name=x"] {
            let login: Login = format!("postgres://u:p@db/x{query}").parse().unwrap();
            assert!(!login.encrypted(), "{query}");
        }
        let login: Login = "host=db sslmode=disable user=u".parse().unwrap();
        assert_eq!(login.address(), ("db".to_owned(), 5432));
    }

    #[test]
    fn every_stricter_mode_is_the_strictest() {
        for mode in ["require", "verify-ca", "verify-full"] {
            let url = format!("postgres://u@db:6543/x?sslmode={mode}&connect_timeout=3");
            let login: Login = url.parse().unwrap();
            assert!(login.encrypted());
            assert_eq!(login.address(), ("db".to_owned(), 6543));
            assert_eq!(login.database(), Some("x"));
        }
        let other = "host=db sslmode=verify-full".parse::<Login>().unwrap();
        assert!(other.with("v", "w").at("y").encrypted());
    }

    #[test]
    fn a_url_that_could_mean_less_than_it_says_is_refused() {
        assert!(fault("postgres://db/x?sslmode=full").contains("sslmode=full"));
        assert!(fault("postgres://db/x?sslrootcert=/ca.pem").contains("verify-full"));
        let missing = "postgres://db/x?sslmode=verify-full&sslrootcert=/no%20such/ca.pem";
        assert!(fault(missing).starts_with("sslrootcert=/no such/ca.pem: "));
        let empty = "postgres://db/x?sslmode=verify-full&sslrootcert=/dev/null";
        assert!(fault(empty).contains("no certificate"));
    }
}
