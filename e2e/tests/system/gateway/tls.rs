//! Certificates: chosen by name, replaced while it runs, and what is agreed on.

use std::{fs, path::Path};

use rcgen::{CertificateParams, KeyPair};
use tokio::process::Command;

use super::Fixture;

/// Puts a certificate of its own into a folder of certificates.
pub(super) fn issue(certificates: &Path, folder: &str, names: &[&str]) {
    let folder = certificates.join(folder);
    fs::create_dir_all(&folder).unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(names)
        .unwrap()
        .self_signed(&key)
        .unwrap();
    for (file, text) in [
        ("fullchain.pem", certificate.pem()),
        ("privkey.pem", key.serialize_pem()),
    ] {
        // In one step, as whatever renews certificates does it.
        let new = folder.join("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, folder.join(file)).unwrap();
    }
}

/// What curl got.
pub(super) struct Got {
    /// curl's own verdict: 0, or 60 where it does not trust the certificate.
    pub(super) code: i32,
    /// The status and the protocol's version.
    pub(super) status: String,
    /// The body.
    pub(super) body: String,
}

/// Asks at loopback, whatever the host is called, and trusts one certificate alone.
pub(super) async fn curl(url: &str, trusted: &Path, more: &[&str]) -> Got {
    let output = Command::new("curl")
        .args([
            "-sS",
            "--noproxy",
            "*",
            "--max-time",
            "30",
            "-w",
            "\n%{http_code} %{http_version}",
        ])
        .args(["--connect-to", "::127.0.0.1:", "--cacert"])
        .arg(trusted)
        .args(more)
        .arg(url)
        .output()
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, status) = text.rsplit_once('\n').unwrap();
    Got {
        code: output.status.code().unwrap(),
        status: status.to_owned(),
        body: body.to_owned(),
    }
}

#[tokio::test]
async fn each_name_gets_its_certificate_and_a_new_one_at_once() {
    let certificates = super::directory();
    let directory = certificates.path();
    let earlier = directory.join("earlier");
    issue(directory, "one.example", &["one.example"]);
    issue(directory, "_.two.example", &["*.two.example"]);
    issue(directory, "default", &["default.example", "other.example"]);
    issue(directory, "given.example", &["nobody.example"]);
    issue(&earlier, "given.example", &["given.example"]);
    fs::create_dir(directory.join("half.example")).unwrap();
    let both = format!("{} {}", earlier.display(), directory.display());
    let fixture = Fixture::start(&[("CERTIFICATES", &both)]).await;
    let trusted = async |host: &str, folder: &str| {
        let url = format!("https://{host}:{}/", fixture.gateway.api_tls);
        curl(&url, &directory.join(folder).join("fullchain.pem"), &[])
            .await
            .code
            == 0
    };

    assert!(trusted("one.example", "one.example").await);
    assert!(trusted("ONE.example", "one.example").await);
    assert!(trusted("acme.two.example", "_.two.example").await);
    assert!(trusted("given.example", "earlier/given.example").await);
    assert!(trusted("other.example", "default").await);
    assert!(!trusted("sub.one.example", "one.example").await);

    fs::copy(
        directory.join("one.example/fullchain.pem"),
        directory.join("earlier/old.pem"),
    )
    .unwrap();
    issue(directory, "one.example", &["one.example"]);
    assert!(trusted("one.example", "one.example").await);
    let url = format!("https://one.example:{}/", fixture.gateway.api_tls);
    assert_eq!(
        curl(&url, &directory.join("earlier/old.pem"), &[])
            .await
            .code,
        60
    );

    issue(directory, "three.example", &["three.example"]);
    fixture.gateway.reload();
    e2e::process::until("the new name's certificate", async || {
        trusted("three.example", "three.example").await
    })
    .await;
}

#[tokio::test]
async fn tls_is_recent_and_a_service_is_told_of_it() {
    let certificates = super::directory();
    issue(certificates.path(), "one.example", &["one.example"]);
    let settings = [("CERTIFICATES", certificates.path().to_str().unwrap())];
    let fixture = Fixture::start(&settings).await;
    let trusted = certificates.path().join("one.example/fullchain.pem");
    let get = async |port: u16, more: &[&str]| {
        curl(&format!("https://one.example:{port}/"), &trusted, more).await
    };

    for port in [fixture.gateway.api_tls, fixture.gateway.pages_tls] {
        let forged = ["--http2", "-H", "X-Forwarded-Proto: gopher"];
        assert_eq!(get(port, &forged).await.status, "200 2");
        assert_eq!(fixture.recorder.last().all("X-Forwarded-Proto"), ["https"]);
        assert_eq!(
            fixture.recorder.last().all("Host"),
            [format!("one.example:{port}")]
        );
        assert_eq!(get(port, &["--http1.1"]).await.status, "200 1.1");
        assert_eq!(get(port, &["--tls-max", "1.2"]).await.status, "200 2");
        let old = ["--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"];
        assert_ne!(get(port, &old).await.code, 0);
    }
    let id = ["-H", "X-Request-Id: over-tls"];
    get(fixture.gateway.api_tls, &id).await;
    let line = fixture.gateway.logged("over-tls").await;
    assert_eq!(line["tls"], "TLSv1.3");

    let plain = format!("http://one.example:{}/", fixture.gateway.api_tls);
    let answer = curl(&plain, &trusted, &[]).await;
    assert_eq!(answer.status, "400 1.1");
    assert!(
        answer.body.contains("This port takes TLS alone."),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn without_a_certificate_nothing_is_served_over_tls() {
    let fixture = Fixture::start(&[]).await;
    let url = format!("https://127.0.0.1:{}/", fixture.gateway.api_tls);
    let any = fixture.directory.path().join("nginx/nginx.conf");
    assert_ne!(curl(&url, &any, &["--insecure"]).await.code, 0);
    assert_eq!(reqwest::get(fixture.url("/")).await.unwrap().status(), 200);
}
