//! TLS as a client meets it, and the directories that cannot be used.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::{fs, net::SocketAddr, path::Path, sync::Arc};

use axum::Router;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use service::{serve, settings::Network, tls::Tls};
use tempfile::TempDir;
use testkit::{certificates::Authority, wait::until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsConnector;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A service over TLS, until it is dropped.
struct Served {
    address: SocketAddr,
    _stop: DropGuard,
}

async fn serve(directory: &Path) -> Served {
    let tls = Tls::read(directory).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(async || "hello");
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    tokio::spawn(serve::follow(Some(tls.clone()), stop.clone()));
    tokio::spawn(async move {
        serve::run(listener, Some(tls), router, &Network::default(), stop).await;
    });
    Served { address, _stop }
}

/// What is answered under a name, by whoever proves to be of that name.
async fn ask(served: &Served, authority: &Authority, name: &str) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap();
    roots.add(root).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(served.address).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, stream).await?;
    let request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn fault(directory: &Path) -> String {
    Tls::read(directory).err().unwrap().to_string()
}

#[tokio::test]
async fn each_name_is_served_with_its_own_certificate() {
    let (directory, authority) = (TempDir::new().unwrap(), Authority::new());
    for (folder, names) in [
        ("acme", &["app.acme.example"][..]),
        ("all", &["example.com", "*.example.com"]),
        ("default", &["localhost"]),
    ] {
        authority.certificate(names).put(directory.path(), folder);
    }
    let served = serve(directory.path()).await;
    for name in [
        "app.acme.example",
        "example.com",
        "a.EXAMPLE.com",
        "localhost",
    ] {
        let answer = ask(&served, &authority, name).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{name}: {answer}");
    }
    for other in ["a.b.example.com", "globex.example"] {
        assert!(ask(&served, &authority, other).await.is_err(), "{other}");
    }
    let stranger = ask(&served, &Authority::new(), "localhost").await;
    assert!(stranger.is_err());
}

#[tokio::test]
async fn plain_http_is_not_answered() {
    let (directory, authority) = (TempDir::new().unwrap(), Authority::new());
    let certificate = authority.certificate(&["localhost"]);
    certificate.put(directory.path(), "default");
    let served = serve(directory.path()).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"));
}

#[tokio::test]
async fn a_new_certificate_is_picked_up_and_a_broken_one_is_not() {
    let (directory, authority) = (TempDir::new().unwrap(), Authority::new());
    let place = directory.path();
    authority.certificate(&["localhost"]).put(place, "default");
    let served = serve(place).await;
    let name = "later.example";
    assert!(ask(&served, &authority, name).await.is_err());

    authority.certificate(&[name]).put(place, "later");
    let known = async || ask(&served, &authority, name).await.is_ok();
    until("the new certificate is served", known).await;

    // Not usable: what was served under that name stays, and the others go on.
    fs::write(place.join("later/privkey.pem"), "no key").unwrap();
    let other = Authority::new();
    other.certificate(&["localhost"]).put(place, "default");
    let replaced = async || ask(&served, &other, "localhost").await.is_ok();
    until("the other certificate is served", replaced).await;
    assert!(ask(&served, &authority, name).await.is_ok());
}

#[tokio::test]
async fn a_name_is_its_own_folders_before_anothers() {
    let (directory, authority) = (TempDir::new().unwrap(), Authority::new());
    let (place, stranger) = (directory.path(), Authority::new());
    let names = ["app.acme.example", "*.acme.example"];
    stranger.certificate(&names).put(place, "a");
    authority
        .certificate(&names[..1])
        .put(place, "app.acme.example");
    authority
        .certificate(&names[1..])
        .put(place, "_.acme.example");
    stranger.certificate(&names).put(place, "z");
    fs::create_dir(place.join("unfinished")).unwrap();
    fs::write(place.join("unfinished/fullchain.pem"), "").unwrap();
    let served = serve(place).await;
    for name in ["app.acme.example", "other.acme.example"] {
        assert!(ask(&served, &authority, name).await.is_ok(), "{name}");
    }
}

#[test]
fn what_cannot_be_used_is_named() {
    let (directory, authority) = (TempDir::new().unwrap(), Authority::new());
    let place = directory.path();
    assert!(fault(&place.join("absent")).contains("absent"));
    assert!(fault(place).contains("no folder with"));

    let certificate = authority.certificate(&["localhost"]);
    certificate.put(place, "one");
    fs::remove_file(place.join("one/privkey.pem")).unwrap();
    assert!(fault(place).contains("one/privkey.pem"));

    let stranger = authority.certificate(&["localhost"]);
    fs::write(place.join("one/privkey.pem"), &stranger.key).unwrap();
    assert!(fault(place).contains("/one: "), "{}", fault(place));

    fs::write(place.join("one/privkey.pem"), &certificate.chain).unwrap();
    assert!(fault(place).contains("one/privkey.pem"));

    certificate.put(place, "one");
    fs::write(place.join("one/fullchain.pem"), "").unwrap();
    assert!(fault(place).contains("/one: "), "{}", fault(place));
}
