//! Domains of tenants: claimed by anybody, verified for one.
//!
//! A claim keeps nobody else out and ends by itself; what counts is the proof. The platform's own
//! hosts can be neither claimed nor verified.

use serde_json::json;
use service::Faults;
use tenancy::{Hostname, Slug};

use crate::{
    app::ControlPlane,
    error::Error,
    signup::refusal,
    store::{
        changes::TenantChange,
        domains::{Domain, Holder},
        tenants::TenantRecord,
    },
};

impl ControlPlane {
    /// A tenant's domains: the verified ones, and claims that have not run out.
    ///
    /// # Errors
    /// `NoTenant`.
    pub async fn domains(&self, slug: &Slug) -> Result<Vec<Domain>, Error> {
        self.store().tenant(slug).await?;
        self.store().domains(slug, self.now()).await
    }

    /// Who has a domain verified, if anybody, and then who claims it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn domain_holders(&self, host: &Hostname) -> Result<Vec<Holder>, Error> {
        self.store().holders(host, self.now()).await
    }

    /// Claims a domain for a tenant: it is served once it is verified, and the claim ends unless it
    /// is. Claiming it once more begins anew.
    ///
    /// # Errors
    /// `NoTenant`, `Taken` when it is verified already, `Claims` when there are as many as there
    /// may be; 422 for a name of the platform's own.
    pub async fn add_domain(
        &self,
        slug: &Slug,
        host: &Hostname,
        actor: &str,
    ) -> Result<TenantRecord, Error> {
        self.not_the_platforms(host)?;
        let change = self.audit_entry(actor, "domain.added", json!({ "domain": host }));
        self.change(slug, &change, |_| Ok(TenantChange::AddDomain(host)))
            .await
    }

    /// Serves a tenant under a domain that it claimed: the operator vouches that it is theirs.
    ///
    /// # Errors
    /// `NoTenant`, `NoDomain`, `Taken` when another has it verified; 422 for a name that is the
    /// platform's own by now.
    pub async fn verify_domain(
        &self,
        slug: &Slug,
        host: &Hostname,
        actor: &str,
    ) -> Result<TenantRecord, Error> {
        self.not_the_platforms(host)?;
        let change = self.audit_entry(actor, "domain.verified", json!({ "domain": host }));
        self.change(slug, &change, |_| Ok(TenantChange::VerifyDomain(host)))
            .await
    }

    /// Gives a domain up.
    ///
    /// # Errors
    /// `NoTenant`, `NoDomain`.
    pub async fn remove_domain(
        &self,
        slug: &Slug,
        host: &Hostname,
        actor: &str,
    ) -> Result<TenantRecord, Error> {
        let change = self.audit_entry(actor, "domain.removed", json!({ "domain": host }));
        self.change(slug, &change, |_| Ok(TenantChange::RemoveDomain(host)))
            .await
    }

    fn not_the_platforms(&self, host: &Hostname) -> Result<(), Error> {
        let mut faults = Faults::new();
        if let Some(fault) = refusal(host, self.hosts()) {
            faults.add("domain", fault);
        }
        Ok(faults.finish()?)
    }
}
