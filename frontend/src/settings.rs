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
    /// Seconds that a plane may take to answer; over 30, the visitor is answered first
    #[arg(long, env, default_value_t = PATIENCE)]
    pub plane_timeout_seconds: u64,
}

/// Shorter than what a request to us may take, so that we can still say what happened.
const PATIENCE: u64 = 25;

impl Settings {
    /// Both planes behind one address.
    #[must_use]
    pub fn behind(api_url: Url) -> Self {
        Self {
            api_url,
            control_plane_url: None,
            data_plane_url: None,
            plane_timeout_seconds: PATIENCE,
        }
    }

    pub(crate) fn control_plane(&self) -> &Url {
        self.control_plane_url.as_ref().unwrap_or(&self.api_url)
    }

    pub(crate) fn data_plane(&self) -> &Url {
        self.data_plane_url.as_ref().unwrap_or(&self.api_url)
    }
}
