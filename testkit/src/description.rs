//! The description of the whole API, without a database: both planes and their health.

use control_plane::ControlPlane;
use data_plane::DataPlane;
use service::{
    Clock, Entropy,
    password::Hasher,
    settings::{Addresses, defaults},
};
use tenancy::db::Login;
use utoipa::openapi::OpenApi;

/// What `/openapi.json` answers where both planes are one process.
///
/// # Panics
/// Outside a runtime: the planes listen for changes in the background.
#[must_use]
pub fn whole() -> OpenApi {
    let nowhere: Login = "postgres://nobody@127.0.0.1:1/none".parse().unwrap();
    let (addresses, clock) = (Addresses::default(), Clock::system());
    let entropy = Entropy::system().unwrap();
    let hasher = Hasher::new(entropy.clone()).unwrap();
    let data = DataPlane::new(
        &defaults(),
        &addresses,
        &nowhere,
        hasher.clone(),
        clock.clone(),
        entropy.clone(),
    )
    .unwrap();
    let control =
        ControlPlane::new(&defaults(), &addresses, &nowhere, hasher, clock, entropy).unwrap();
    let health = data.health.and(&control.health());
    let routes = data.router.merge(control.router()).merge(health.routes());
    routes.into_openapi()
}
