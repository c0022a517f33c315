//! What a request passes before a route is chosen: the path prefix that names a tenant is taken off,
//! and the rules for pages of other origins are put around whatever is answered. It goes around the
//! router, since layers within see a request only once its route is chosen.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{Router, extract::Request, response::Response};
use tower::Service;

use crate::{app::App, cors, path_prefix};

/// An API, and of its routes those that serve a tenant: no prefix leads to what is the platform's own.
#[derive(Clone)]
pub(crate) struct Outer {
    pub(crate) app: App,
    pub(crate) api: Router,
    pub(crate) tenants: Router,
}

impl Service<Request> for Outer {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let prefix = path_prefix::take_off(&mut request);
        let router = match &prefix {
            Some(_) => self.tenants.clone(),
            None => self.api.clone(),
        };
        let app = self.app.clone();
        Box::pin(async move {
            let mut response = cors::around(&app, request, router).await;
            if let Some(prefix) = prefix {
                path_prefix::keep(response.headers_mut(), &prefix);
            }
            Ok(response)
        })
    }
}
