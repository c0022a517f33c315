//! The ports, taken before anything is started, and what they are served with.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::Context;
use service::{serve::listen, tls::Tls};
use tokio::net::TcpListener;
use url::Url;

use super::Options;

/// Listeners that accept nothing yet.
pub(super) struct Ports {
    pub(super) api: TcpListener,
    pub(super) pages: TcpListener,
    pub(super) admin: TcpListener,
    /// What the API and the pages are served with.
    pub(super) tls: Option<Tls>,
    /// The API in plain HTTP, where the public one speaks TLS: for the pages of this process.
    pub(super) inner: Option<TcpListener>,
}

impl Ports {
    pub(super) async fn take(options: &Options) -> anyhow::Result<Self> {
        let network = &options.network;
        let tls = network.tls().context("TLS_DIRECTORY")?;
        Ok(Self {
            api: listen(network.on(options.local.api_port), "API_PORT").await?,
            pages: listen(network.on(options.local.pages_port), "PAGES_PORT").await?,
            admin: listen(network.admin(), "ADMIN_PORT").await?,
            inner: match tls {
                Some(_) => Some(listen((Ipv4Addr::LOCALHOST, 0).into(), "BIND_ADDRESS").await?),
                None => None,
            },
            tls,
        })
    }

    /// Where the pages reach the API: in this process.
    pub(super) fn loopback(&self, options: &Options) -> anyhow::Result<Url> {
        let address = match (&self.inner, options.network.bind_address) {
            (Some(inner), _) => inner.local_addr()?,
            (None, bound) if bound.is_unspecified() => {
                SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), options.local.api_port)
            }
            (None, bound) => SocketAddr::new(bound, options.local.api_port),
        };
        Ok(format!("http://{address}").parse()?)
    }
}
