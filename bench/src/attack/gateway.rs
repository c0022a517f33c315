//! The product's own gateway, as production has it but for its ports.

use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::process::Command;

use crate::{
    process::{self, Service},
    scratch::{Scratch, free_ports},
};

/// Makes the gateway's configuration.
const CONFIGURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docker/nginx/configure");

/// A running gateway; dropping it stops it.
pub(super) struct Gateway {
    /// Where it listens, on loopback.
    pub(super) port: u16,
    health: u16,
    _nginx: Service,
}

impl Gateway {
    /// Starts it in front of the product.
    pub(super) async fn start(scratch: &Scratch, product: u16) -> anyhow::Result<Self> {
        let [port, pages, health] = free_ports()?;
        let at = |port: u16| format!("127.0.0.1:{port}");
        let folder = scratch.path("gateway");
        let mut configure = Command::new("sh");
        configure
            .arg(CONFIGURE)
            .arg(&folder)
            .env("API_LISTEN", at(port))
            .env("PAGES_LISTEN", at(pages))
            .env("HEALTH_LISTEN", at(health))
            .env("CONTROL_UPSTREAM", at(product))
            .env("DATA_UPSTREAM", at(product))
            .env("PAGES_UPSTREAM", at(product));
        process::output(&mut configure).await?;
        let mut command = Command::new("nginx");
        command
            .args(["-e", "/dev/stderr", "-c", "nginx.conf", "-p"])
            .arg(&folder)
            .args(["-g", "daemon off;"]);
        let log = scratch.path("gateway.log");
        let nginx = Service::start("the gateway", &mut command, log)?;
        let mut gateway = Self {
            port,
            health,
            _nginx: nginx,
        };
        let url = gateway.url();
        let listens = async || reqwest::get(&url).await.is_ok();
        gateway
            ._nginx
            .ready(Duration::from_secs(10), listens)
            .await?;
        Ok(gateway)
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/connections", self.health)
    }

    /// Connections that clients have to it at this moment.
    pub(super) async fn connections(&self) -> anyhow::Result<usize> {
        let answer = reqwest::get(self.url()).await?;
        ensure!(answer.status().is_success(), "the gateway counts nothing");
        let text = answer.text().await?;
        let number = text.split_whitespace().nth(2);
        Ok(number.context("a number of connections")?.parse()?)
    }
}
