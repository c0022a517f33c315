//! Renaming a tenant.
//!
//! A slug names the tenant's schema too, so both change in one transaction. The slug given up is
//! held for a while: the data plane redirects it, and nobody else can have it. What the data plane
//! had in memory is told in the same moment; a request that was under way with the old name may
//! fail, and finds the new one when it comes again.

use serde::Deserialize;
use serde_json::json;
use service::{Faults, Patched, body::Text};
use tenancy::Slug;
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;

use crate::{
    app::ControlPlane,
    error::Error,
    signup::application,
    store::{changes::TenantChange, tenants::TenantRecord},
};

/// A tenant's new names (RFC 7396); what is absent stays, and neither can be cleared.
#[derive(Default, Deserialize, ToSchema)]
#[schema(example = json!({"name": "Acme Ltd"}))]
pub struct NewNames {
    /// For people: 1 to 100 characters.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub name: Patched<Text>,
    /// The short name.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub slug: Patched<Text>,
}

impl ControlPlane {
    /// Gives a tenant another name, another slug, or both. Names that it has already change
    /// nothing.
    ///
    /// # Errors
    /// `NoTenant`, `Taken`; 422 naming every field's fault.
    pub async fn rename(
        &self,
        slug: &Slug,
        new: NewNames,
        actor: &str,
    ) -> Result<TenantRecord, Error> {
        let mut faults = Faults::new();
        let name = new.name.replacement("name", &mut faults);
        let name = name.and_then(|name| application::name(name, "name", &mut faults));
        let new_slug = new.slug.replacement("slug", &mut faults);
        let new_slug =
            new_slug.and_then(|slug| application::slug(slug, "slug", self.hosts(), &mut faults));
        faults.finish()?;
        let detail = json!({ "name": &name, "slug": &new_slug, "was": slug });
        let change = self.audit_entry(actor, "tenant.renamed", detail);
        let step = TenantChange::Rename {
            name: name.as_deref(),
            slug: new_slug.as_ref(),
            held_until: self.held_until(),
        };
        self.store().change(slug, &change, |_| Ok(step)).await?;
        self.store().tenant(new_slug.as_ref().unwrap_or(slug)).await
    }

    /// Until when a slug that is given up now is nobody else's.
    fn held_until(&self) -> Option<OffsetDateTime> {
        let days = Duration::days(self.settings().slug_hold_days.into());
        (days > Duration::ZERO).then(|| self.now() + days)
    }
}
