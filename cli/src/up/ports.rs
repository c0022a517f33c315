//! The ports, taken before anything is started.

use service::serve::{CannotListen, listen};
use tokio::net::TcpListener;

use super::Options;

/// Listeners that accept nothing yet.
pub(super) struct Ports {
    pub(super) api: TcpListener,
    pub(super) pages: TcpListener,
    pub(super) admin: TcpListener,
}

impl Ports {
    pub(super) async fn take(options: &Options) -> Result<Self, CannotListen> {
        let network = &options.network;
        Ok(Self {
            api: listen(network.on(options.local.api_port), "API_PORT").await?,
            pages: listen(network.on(options.local.pages_port), "PAGES_PORT").await?,
            admin: listen(network.on(network.admin_port), "ADMIN_PORT").await?,
        })
    }
}
