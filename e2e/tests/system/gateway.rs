//! Through real nginx, under the configuration that production has.

mod cache;
mod compression;
mod cors;
mod errors;
mod forgeries;
mod limits;
mod log;
mod naming;
mod reload;
mod settings;
mod slow;
mod smuggling;
mod tls;

use e2e::{
    gateway::{Behind, Gateway},
    recorder::Recorder,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const PASSWORD: &str = "correct horse battery";

fn application(slug: &str) -> Value {
    json!({
        "tenant_name": slug, "tenant_slug": slug, "admin_username": "ada",
        "admin_email": "ada@example.com", "admin_password": PASSWORD,
    })
}

/// A directory that nginx's workers, who are somebody else, get through.
fn directory() -> TempDir {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::Builder::new()
        .prefix("tenantry-gateway-")
        .tempdir()
        .unwrap();
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o711)).unwrap();
    directory
}

/// A gateway with recorders behind it.
struct Fixture {
    gateway: Gateway,
    recorder: Recorder,
    directory: TempDir,
}

impl Fixture {
    async fn start(settings: &[(&str, &str)]) -> Self {
        Self::before(Recorder::start().await, settings).await
    }

    /// Before one recorder that is both planes and the pages.
    async fn before(recorder: Recorder, settings: &[(&str, &str)]) -> Self {
        let directory = directory();
        let behind = Behind(recorder.port, recorder.port, recorder.port);
        let gateway = Gateway::start_with(directory.path(), behind, settings).await;
        Self {
            gateway,
            recorder,
            directory,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.gateway.api)
    }
}

/// A client at an address of loopback, with a new connection for each request.
fn client_at(address: [u8; 4]) -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .local_address(std::net::IpAddr::from(address))
        .pool_max_idle_per_host(0)
        .build()
        .unwrap()
}
