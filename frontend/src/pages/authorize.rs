//! `GET /oauth/authorize`: on to the API, where the data plane decides.
//!
//! Signing in leads back to a path of the host it happened on, and for an OAuth client's request
//! that path is the data plane's. Pages and API are one host on two ports. The data plane is asked
//! first whether the host is a tenant's: else anybody could have us redirect to any host.

use axum::{extract::State, response::Redirect};
use http::Uri;

use crate::{site::Site, upstream::PlaneError, visitor::OnTenant};

/// Sends the browser to the same path and query of the API.
pub(crate) async fn go_on(
    State(site): State<Site>,
    OnTenant(visitor): OnTenant,
    uri: Uri,
) -> Result<Redirect, PlaneError> {
    let tenant = site.upstream.data.info(&visitor).await?;
    let query = uri
        .query()
        .map_or_else(String::new, |query| format!("?{query}"));
    let api = site.addresses.api_of(&visitor.tenant_host(&tenant));
    Ok(Redirect::to(&format!("{api}/oauth/authorize{query}")))
}
