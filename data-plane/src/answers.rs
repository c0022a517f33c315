//! Counts each answer against the tenant that its request was for.

use std::sync::{Arc, OnceLock};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use service::answers::Answers;
use tenancy::TenantId;

/// Where the extractor of the tenant leaves it for the layer around the handlers.
#[derive(Clone, Default)]
pub(crate) struct ResolvedTenant(Arc<OnceLock<TenantId>>);

impl ResolvedTenant {
    pub(crate) fn set(&self, tenant: TenantId) {
        // A request has one tenant; a second extractor finds the same.
        let _ = self.0.set(tenant);
    }
}

/// The layer.
pub(crate) async fn count(
    State(answers): State<Answers>,
    mut request: Request,
    next: Next,
) -> Response {
    let resolved = ResolvedTenant::default();
    request.extensions_mut().insert(resolved.clone());
    let response = next.run(request).await;
    match resolved.0.get() {
        Some(tenant) => answers.send(tenant.as_uuid().as_u128(), response).await,
        None => response,
    }
}
