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
    config::{Host, SslMode, SslNegotiation},
    tls::MakeTlsConnect,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::lanes::login_of_lane;

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
    /// A setting of TLS is there, and nothing would be encrypted.
    #[error("{0} is for sslmode=verify-full")]
    Unused(&'static str),
    /// A setting of TLS is there twice, could be part of a quoted word, or stands where the
    /// database's client would find it and we do not.
    #[error("{0} has to be there once, among words without quotes or odd spaces")]
    Unclear(&'static str),
    /// The certificates to trust are not to be had.
    #[error("sslrootcert={0}: {1}")]
    Roots(String, String),
}

impl FromStr for Login {
    type Err = BadUrl;

    /// Reads `postgres://user:password@host:port/database?sslmode=verify-full&sslrootcert=file`,
    /// or the same as words, `host=… sslmode=…`. Certificates are read now, and not again.
    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let (rest, mode, roots) = take_tls(text)?;
        let mut config: Config = rest.parse()?;
        // Only what we have overlooked can have set it: a `?` in a password, a tab for a space.
        if config.get_ssl_mode() != SslMode::Prefer {
            return Err(BadUrl::Unclear("sslmode"));
        }
        let encrypted = match mode.as_deref() {
            None | Some("disable" | "allow" | "prefer") => false,
            Some("require" | "verify-ca" | "verify-full") => true,
            Some(other) => return Err(BadUrl::Mode(other.to_owned())),
        };
        if !encrypted {
            let negotiated = config.get_ssl_negotiation() == SslNegotiation::Direct;
            return match (roots, negotiated) {
                (Some(_), _) => Err(BadUrl::Unused("sslrootcert")),
                (None, true) => Err(BadUrl::Unused("sslnegotiation")),
                (None, false) => Ok(config.into()),
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

    /// The login of a lane, which has the password of this one.
    #[must_use]
    pub fn of_lane(&self, number: usize) -> Self {
        let mut other = self.clone();
        other.config.user(login_of_lane(number));
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

    /// The same, giving a statement up that has waited so many seconds for a lock.
    #[must_use]
    pub fn patient_for(&self, seconds: u16) -> Self {
        let mut other = self.clone();
        let own = other.config.get_options().unwrap_or_default();
        let options = format!("{own} -c lock_timeout={seconds}s");
        other.config.options(options.trim_start());
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

type Taken = (String, Option<String>, Option<String>);

/// Takes the two parameters of TLS, which the database's client does not know, out of a URL.
fn take_tls(text: &str) -> Result<Taken, BadUrl> {
    let (mut rest, mut mode, mut roots) = (Vec::new(), None, None);
    let (address, separator, words) = if !text.contains("://") {
        ("", ' ', text)
    } else if let Some((address, query)) = text.split_once('?') {
        (address, '&', query)
    } else {
        return Ok((text.to_owned(), None, None));
    };
    for word in words.split(separator) {
        let (name, place) = match word.split_once('=').map(|(name, _)| name) {
            Some("sslmode") => ("sslmode", &mut mode),
            Some("sslrootcert") => ("sslrootcert", &mut roots),
            _ => {
                rest.push(word);
                continue;
            }
        };
        let value = &word[name.len() + 1..];
        let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
        let quoted = separator == ' ' && text.contains('\'');
        if quoted || place.replace(value).is_some() {
            return Err(BadUrl::Unclear(name));
        }
    }
    let rest = rest.join(&separator.to_string());
    let rest = match (address, rest.as_str()) {
        ("", words) => words.to_owned(),
        (address, "") => address.to_owned(),
        (address, query) => format!("{address}?{query}"),
    };
    Ok((rest, mode, roots))
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
        let direct = "postgres://db/x?sslnegotiation=direct";
        assert!(fault(direct).contains("verify-full"));
        for unclear in [
            "postgres://db/x?sslmode=verify-full&sslmode=disable",
            "postgres://db/x?sslmode=verify-full&sslrootcert=a&sslrootcert=b",
            "host=db sslmode=verify-full application_name='a sslmode=disable b'",
            "host=db password='a sslmode=verify-full'",
            "postgres://u:p?w@db/x?sslmode=require",
            "host=db\nsslmode=require",
            "host=db\tsslmode=disable",
            "host=db sslmode = require",
        ] {
            assert!(fault(unclear).contains("once"), "{unclear}");
        }
        assert!(fault(missing).starts_with("sslrootcert=/no such/ca.pem: "));
        let empty = "postgres://db/x?sslmode=verify-full&sslrootcert=/dev/null";
        assert!(fault(empty).contains("no certificate"));
    }
}
