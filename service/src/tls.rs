//! TLS for what a service serves: certificates by name, read again when they change.
//!
//! A directory holds one folder for each certificate, with `fullchain.pem` and `privkey.pem`, as
//! certbot leaves them. A certificate is for the names that it holds itself, wildcards included; of
//! two for one name, the one whose folder has that name counts. A client that asks for none of them
//! gets the one of the folder `default`, or else of the first folder. A folder that cannot be used
//! is told of and takes nothing from the others. Whoever obtains certificates by other means has
//! only to put folders there.

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::CancellationToken;

const CHAIN: &str = "fullchain.pem";
const KEY: &str = "privkey.pem";
const DEFAULT: &str = "default";
/// Between two looks at the directory.
const LOOK: Duration = Duration::from_secs(2);

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory cannot be read.
    #[error("{0}: {1}")]
    Files(PathBuf, io::Error),
    /// No folder holds a certificate.
    #[error("{0}: no folder with {CHAIN} and {KEY}")]
    None(PathBuf),
    /// A folder's certificate or key is not one, or they do not belong together.
    #[error("{0}: {1}")]
    Unusable(PathBuf, String),
}

/// The certificates of a directory, and the handshakes made with them; cheap to clone.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    directory: Arc<Path>,
    /// Of the directory before it was read.
    known: Fingerprint,
}

impl Tls {
    /// Reads a directory.
    ///
    /// # Errors
    /// [`Error`], when none of its folders can be used.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let known = fingerprint(directory);
        let current = Arc::new(Current(RwLock::new(Arc::new(Table::read(
            directory, None,
        )?))));
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|cause| Error::Unusable(directory.to_owned(), cause.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            current,
            directory: directory.into(),
            known,
        })
    }

    /// Greets a client.
    ///
    /// # Errors
    /// When the two do not agree, or the client goes away.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }

    /// Follows the directory until told to stop. Certificates that cannot be used are logged, and
    /// those in use stay.
    pub async fn follow(self, stop: CancellationToken) {
        let mut known = self.known.clone();
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => (),
                () = stop.cancelled() => return,
            }
            let now = fingerprint(&self.directory);
            if now != known {
                known = now;
                self.reload();
            }
        }
    }

    fn reload(&self) {
        match Table::read(&self.directory, Some(&self.current.table())) {
            Ok(table) => {
                let names = table.by_name.len();
                self.current.replace(table);
                tracing::info!(names, "certificates read again");
            }
            Err(cause) => tracing::error!(%cause, "the certificates stay as they were"),
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// What the next handshake is made with.
#[derive(Debug)]
struct Current(RwLock<Arc<Table>>);

impl Current {
    fn table(&self) -> Arc<Table> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, table: Table) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.table().of(hello.server_name()))
    }
}

/// A folder's certificate with its key, and the names that it is for.
type Usable = (Arc<CertifiedKey>, Vec<String>);

#[derive(Debug)]
struct Table {
    folders: BTreeMap<PathBuf, Usable>,
    /// By names in lower case, `*.example.com` among them.
    by_name: HashMap<String, Arc<CertifiedKey>>,
    default: Arc<CertifiedKey>,
}

impl Table {
    /// Reads the folders. What cannot be used any more stays as it was in an earlier table.
    fn read(directory: &Path, earlier: Option<&Self>) -> Result<Self, Error> {
        let (mut usable, mut fault) = (BTreeMap::new(), None);
        for folder in folders(directory)? {
            match certified(&folder) {
                Ok(found) => {
                    usable.insert(folder, found);
                }
                Err(cause) => {
                    tracing::error!(%cause, "a certificate that cannot be used");
                    fault.get_or_insert(cause);
                    let known = earlier.and_then(|table| table.folders.get(&folder));
                    usable.extend(known.map(|known| (folder, known.clone())));
                }
            }
        }
        let none = || fault.unwrap_or_else(|| Error::None(directory.to_owned()));
        Self::of_folders(usable).ok_or_else(none)
    }

    fn of_folders(folders: BTreeMap<PathBuf, Usable>) -> Option<Self> {
        let mut by_name: HashMap<String, Arc<CertifiedKey>> = HashMap::new();
        for (folder, (key, names)) in &folders {
            for name in names {
                if folder.ends_with(name.replace('*', "_")) || !by_name.contains_key(name) {
                    by_name.insert(name.clone(), Arc::clone(key));
                }
            }
        }
        let named = folders.iter().find(|(folder, _)| folder.ends_with(DEFAULT));
        let (_, (default, _)) = named.or_else(|| folders.iter().next())?;
        Some(Self {
            default: Arc::clone(default),
            by_name,
            folders,
        })
    }

    fn of(&self, asked: Option<&str>) -> Arc<CertifiedKey> {
        let found = asked.and_then(|name| {
            let name = name.to_ascii_lowercase();
            let wildcard = || Some(format!("*.{}", name.split_once('.')?.1));
            let exact = self.by_name.get(&name);
            exact.or_else(|| self.by_name.get(&wildcard()?))
        });
        Arc::clone(found.unwrap_or(&self.default))
    }
}

/// The folders that hold a certificate, or should.
fn folders(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let paths = |entries: fs::ReadDir| entries.map(|entry| Ok(entry?.path())).collect();
    let found: io::Result<Vec<PathBuf>> = directory.read_dir().and_then(paths);
    let mut folders = found.map_err(|cause| Error::Files(directory.to_owned(), cause))?;
    folders.retain(|folder| folder.join(CHAIN).exists() || folder.join(KEY).exists());
    Ok(folders)
}

fn certified(folder: &Path) -> Result<Usable, Error> {
    let read = |file: &str, cause: pem::Error| {
        let path = folder.join(file);
        match cause {
            pem::Error::Io(cause) => Error::Files(path, cause),
            other => Error::Unusable(path, other.to_string()),
        }
    };
    let chain: Result<Vec<CertificateDer<'static>>, pem::Error> =
        CertificateDer::pem_file_iter(folder.join(CHAIN)).and_then(Iterator::collect);
    let chain = chain.map_err(|cause| read(CHAIN, cause))?;
    let key = PrivateKeyDer::from_pem_file(folder.join(KEY)).map_err(|cause| read(KEY, cause))?;
    let unusable =
        |cause: &dyn std::fmt::Display| Error::Unusable(folder.to_owned(), cause.to_string());
    let first = chain.first().ok_or_else(|| unusable(&"no certificate"))?;
    let names = webpki::EndEntityCert::try_from(first)
        .map_err(|cause| unusable(&cause))?
        .valid_dns_names()
        .map(str::to_ascii_lowercase)
        .collect();
    let key = CertifiedKey::from_der(chain, key, &provider()).map_err(|cause| unusable(&cause))?;
    Ok((Arc::new(key), names))
}

type Fingerprint = Vec<(PathBuf, Option<SystemTime>, u64)>;

/// Changes when a file of the directory does; links are followed.
fn fingerprint(directory: &Path) -> Fingerprint {
    let mut folders = folders(directory).unwrap_or_default();
    folders.sort();
    let files = folders
        .iter()
        .flat_map(|folder| [folder.join(CHAIN), folder.join(KEY)]);
    files
        .map(|file| {
            let about = fs::metadata(&file).ok();
            let changed = about.as_ref().and_then(|about| about.modified().ok());
            (file, changed, about.map_or(0, |about| about.len()))
        })
        .collect()
}
