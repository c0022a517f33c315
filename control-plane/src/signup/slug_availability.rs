//! A word on a slug before anybody signs up with it.

use serde::Serialize;
use tenancy::Slug;
use utoipa::ToSchema;

use super::is_reserved;
use crate::{app::ControlPlane, error::Error};

/// Whether a slug can be had.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"slug": "acme", "available": false, "reason": "is taken"}))]
pub(crate) struct SlugAvailability {
    slug: String,
    available: bool,
    /// Why not.
    reason: Option<String>,
}

impl ControlPlane {
    /// Whether a slug can be had now. Only a sign-up reserves it.
    pub(crate) async fn slug_availability(&self, text: &str) -> Result<SlugAvailability, Error> {
        let reason = match text.parse::<Slug>() {
            Err(fault) => Some(fault.to_string()),
            Ok(slug) if is_reserved(&slug, self.hosts()) => Some("is reserved".to_owned()),
            Ok(slug) => self
                .store()
                .slug_taken(&slug, self.now())
                .await?
                .then(|| "is taken".to_owned()),
        };
        let slug = text.chars().take(64).collect();
        Ok(SlugAvailability {
            slug,
            available: reason.is_none(),
            reason,
        })
    }
}
