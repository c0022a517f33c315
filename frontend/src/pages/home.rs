//! `GET /`: the platform's front page, or the account of whoever is signed in at a tenant.

use axum::{extract::State, response::Response};

use super::{account, sign_up};
use crate::{site::Site, upstream::PlaneError, visitor::Visitor};

/// Shows the page that the host asks for.
pub(crate) async fn show(
    State(site): State<Site>,
    visitor: Visitor,
) -> Result<Response, PlaneError> {
    if visitor.on_platform {
        Ok(sign_up::show(&site, &visitor).await)
    } else {
        account::show(&site, &visitor).await
    }
}
