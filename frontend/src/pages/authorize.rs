//! `GET /oauth/authorize`: on to the API, where the data plane decides.
//!
//! Signing in leads back to a path of the host it happened on, and for an OAuth client's request
//! that path is the data plane's. Pages and API are one host on two ports.

use axum::{extract::State, response::Redirect};
use http::Uri;

use crate::{site::Site, visitor::OnTenant};

/// Sends the browser to the same path and query of the API.
pub(crate) async fn go_on(
    State(site): State<Site>,
    OnTenant(visitor): OnTenant,
    uri: Uri,
) -> Redirect {
    let query = uri
        .query()
        .map_or_else(String::new, |query| format!("?{query}"));
    let api = site.addresses.api_of(&visitor.bare_host);
    Redirect::to(&format!("{api}/oauth/authorize{query}"))
}
