//! The routes of the pages, readable top to bottom, and the layers around them.

use axum::{
    Router,
    middleware::from_fn_with_state,
    response::Redirect,
    routing::{MethodRouter, get, post},
};
use service::{
    Entropy,
    health::Health,
    layers,
    settings::{Addresses, Network},
};

use crate::{
    StartError, assets, description, error_page,
    pages::{authorize, home, register, session, sign_up, welcome},
    security,
    settings::Settings,
    site::Site,
};

/// The pages, ready to be served.
#[derive(Clone)]
pub struct Pages {
    /// Everything that is served on the pages' port.
    pub router: Router,
    /// Whether both planes answer.
    pub health: Health,
}

/// Builds the pages.
///
/// # Errors
/// When a template does not parse or no HTTP client can be had: faults of the build, not of the
/// surroundings. Planes that do not answer yet are no error.
pub fn app(
    settings: &Settings,
    addresses: &Addresses,
    network: &Network,
    entropy: &Entropy,
) -> Result<Pages, StartError> {
    let site = Site::new(settings, addresses, network, entropy)?;
    let health = health(&site);
    let (health_routes, _) = health.routes().split_for_parts();
    let mut routes = Router::new();
    for (path, methods) in table() {
        #[allow(
            clippy::disallowed_methods,
            reason = "pages are no part of the API's description"
        )]
        {
            routes = routes.route(path, methods);
        }
    }
    let routes = routes.with_state(site.clone()).merge(health_routes);
    // Pages are made of problems outside of the shared layers, so that theirs become pages too.
    let router = layers::wrap(routes, network, entropy)
        .layer(from_fn_with_state(
            site.clone(),
            error_page::render_problems,
        ))
        .layer(from_fn_with_state(site, security::headers));
    Ok(Pages { router, health })
}

/// The path of every page, for tests that hold for all of them.
#[must_use]
pub fn paths() -> Vec<&'static str> {
    table().into_iter().map(|(path, _)| path).collect()
}

fn table() -> [(&'static str, MethodRouter<Site>); 10] {
    [
        ("/", get(home::show)),
        (
            "/signup",
            get(async || Redirect::to("/")).post(sign_up::submit),
        ),
        ("/signup/slug", get(sign_up::slug_availability)),
        ("/welcome", get(welcome::show)),
        ("/register", get(register::show).post(register::submit)),
        ("/sign-in", get(session::show).post(session::sign_in)),
        (
            "/sign-out",
            post(session::sign_out).get(async || Redirect::to("/")),
        ),
        ("/oauth/authorize", get(authorize::go_on)),
        ("/static/{name}", get(assets::serve)),
        ("/openapi.json", get(description::show)),
    ]
}

fn health(site: &Site) -> Health {
    let control = site.upstream.control.clone();
    let data = site.upstream.data.clone();
    Health::default()
        .needs("control-plane", move || {
            let plane = control.clone();
            async move { plane.answers().await }
        })
        .needs("data-plane", move || {
            let plane = data.clone();
            async move { plane.answers().await }
        })
}
