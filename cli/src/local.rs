//! What `tenantry up` takes of this machine. Other commands look at the same settings: to say the
//! addresses that it serves, and whether it could serve.

use std::path::PathBuf;

use clap::Args;
use service::settings::{Addresses, Network, from_environment};

/// Ports, and PostgreSQL's programs.
#[derive(Args, Clone, Debug)]
pub(crate) struct Local {
    /// Port of the API
    #[arg(long, env, default_value_t = 8080)]
    pub(crate) api_port: u16,
    /// Port of the pages
    #[arg(long, env, default_value_t = 8000)]
    pub(crate) pages_port: u16,
    /// Port of the private PostgreSQL, on loopback
    #[arg(long, env, default_value_t = 5442)]
    pub(crate) postgres_port: u16,
    /// Directory of the PostgreSQL server's programs [default: searched for]
    #[arg(long, env)]
    pub(crate) postgres_bin_dir: Option<PathBuf>,
}

impl Local {
    /// The public addresses, at these ports where nothing else was said.
    pub(crate) fn addresses(&self, addresses: Addresses, network: &Network) -> Addresses {
        let tls = network.tls_directory.is_some();
        addresses.with_ports(self.api_port, self.pages_port, tls)
    }
}

/// The addresses as the environment has them.
pub(crate) fn addresses() -> Addresses {
    from_environment::<Local>().addresses(from_environment(), &from_environment())
}
