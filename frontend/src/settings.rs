//! Where the planes are.

use clap::Args;
use url::Url;

/// The addresses at which the pages reach the two planes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Planes")]
pub struct Settings {
    /// Address at which the pages reach the API, both planes behind it
    #[arg(long, env, default_value = "http://127.0.0.1:8080")]
    pub api_url: Url,
    /// Address of the control plane alone [default: API_URL]
    #[arg(long, env)]
    pub control_plane_url: Option<Url>,
    /// Address of the data plane alone [default: API_URL]
    #[arg(long, env)]
    pub data_plane_url: Option<Url>,
}

impl Settings {
    /// Both planes behind one address.
    #[must_use]
    pub fn behind(api_url: Url) -> Self {
        Self {
            api_url,
            control_plane_url: None,
            data_plane_url: None,
        }
    }

    pub(crate) fn control_plane(&self) -> &Url {
        self.control_plane_url.as_ref().unwrap_or(&self.api_url)
    }

    pub(crate) fn data_plane(&self) -> &Url {
        self.data_plane_url.as_ref().unwrap_or(&self.api_url)
    }
}
