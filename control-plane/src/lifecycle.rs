//! What operators do to a tenant, and from which state.
//!
//! active ⇄ suspended; either → deleting, from which it can be restored until its grace period is
//! over; deleting → purged.

use serde_json::{Value, json};
use tenancy::{Slug, Status};
use time::Duration;

use crate::{
    app::ControlPlane,
    error::Error,
    store::{
        changes::TenantChange,
        events::{Change, Event},
        tenants::{Filter, TenantRecord},
    },
};

impl ControlPlane {
    /// The tenant of a slug.
    ///
    /// # Errors
    /// `NoTenant`.
    pub async fn tenant(&self, slug: &Slug) -> Result<TenantRecord, Error> {
        self.store().tenant(slug).await
    }

    /// Tenants in the order of their slugs, after one of them.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn tenants(
        &self,
        filter: &Filter,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<TenantRecord>, Error> {
        self.store().tenants(filter, after, limit).await
    }

    /// What was done to a tenant, the latest first, before one of the events.
    ///
    /// # Errors
    /// `NoTenant`.
    pub async fn events(
        &self,
        slug: &Slug,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Event>, Error> {
        self.store().tenant(slug).await?;
        self.store().events(slug, before, limit).await
    }

    /// What was done to the platform itself, the latest first, before one of the events.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn platform_events(
        &self,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Event>, Error> {
        self.store().platform_events(before, limit).await
    }

    /// Stops serving a tenant; everything is kept.
    ///
    /// # Errors
    /// `NoTenant`, `WrongStatus` unless it is active.
    pub async fn suspend(&self, slug: &Slug, actor: &str) -> Result<TenantRecord, Error> {
        let change = self.audit_entry(actor, "tenant.suspended", json!({}));
        self.change(slug, &change, |status| match status {
            Status::Active => Ok(TenantChange::Status(Status::Suspended)),
            other => Err(Error::WrongStatus(other)),
        })
        .await
    }

    /// Serves a suspended tenant again.
    ///
    /// # Errors
    /// `NoTenant`, `WrongStatus` unless it is suspended.
    pub async fn resume(&self, slug: &Slug, actor: &str) -> Result<TenantRecord, Error> {
        let change = self.audit_entry(actor, "tenant.resumed", json!({}));
        self.change(slug, &change, |status| match status {
            Status::Suspended => Ok(TenantChange::Status(Status::Active)),
            other => Err(Error::WrongStatus(other)),
        })
        .await
    }

    /// Stops serving a tenant for good, unless it is restored within the grace period.
    ///
    /// # Errors
    /// `NoTenant`, `WrongStatus` unless it is active or suspended.
    pub async fn delete(&self, slug: &Slug, actor: &str) -> Result<TenantRecord, Error> {
        let until = self.now() + Duration::days(self.settings().delete_grace_days.into());
        let change = self.audit_entry(actor, "tenant.deleted", json!({}));
        self.change(slug, &change, |status| match status {
            Status::Active | Status::Suspended => Ok(TenantChange::Delete(until)),
            other => Err(Error::WrongStatus(other)),
        })
        .await
    }

    /// Takes a deletion back: the tenant is what it was before.
    ///
    /// # Errors
    /// `NoTenant`, `WrongStatus` unless it is being deleted.
    pub async fn restore(&self, slug: &Slug, actor: &str) -> Result<TenantRecord, Error> {
        let change = self.audit_entry(actor, "tenant.restored", json!({}));
        self.change(slug, &change, |status| match status {
            Status::Deleting => Ok(TenantChange::Restore),
            other => Err(Error::WrongStatus(other)),
        })
        .await
    }

    /// Removes a deleted tenant with all that it has, without waiting for its grace period.
    ///
    /// # Errors
    /// `NoTenant`, `WrongStatus` unless it is being deleted.
    pub async fn purge(&self, slug: &Slug, actor: &str) -> Result<(), Error> {
        let change = self.audit_entry(actor, "tenant.purged", json!({}));
        let decide = |status| match status {
            Status::Deleting => Ok(TenantChange::Purge),
            other => Err(Error::WrongStatus(other)),
        };
        if self.tenant(slug).await?.status == Status::Deleting.as_str() {
            // The schema cannot be dropped while somebody reads in it.
            for inspection in self.store().inspections(slug).await? {
                self.end_inspection(&inspection.login, actor).await?;
            }
        }
        self.store().change(slug, &change, decide).await
    }

    /// Puts a tenant on another plan. What it has beyond that plan's limits stays.
    ///
    /// # Errors
    /// `NoTenant`, `NoPlan`.
    pub async fn set_plan(
        &self,
        slug: &Slug,
        plan: &str,
        actor: &str,
    ) -> Result<TenantRecord, Error> {
        let change = self.audit_entry(actor, "tenant.plan-changed", json!({ "plan": plan }));
        self.change(slug, &change, |_| Ok(TenantChange::Plan(plan)))
            .await
    }

    /// A change by somebody, now.
    pub(crate) fn audit_entry<'a>(
        &self,
        actor: &'a str,
        action: &'static str,
        detail: Value,
    ) -> Change<'a> {
        Change {
            actor,
            action,
            detail,
            now: self.now(),
        }
    }

    /// Makes a change, and says how the tenant is then.
    pub(crate) async fn change<'a>(
        &self,
        slug: &Slug,
        change: &Change<'_>,
        decide: impl FnOnce(Status) -> Result<TenantChange<'a>, Error> + Send,
    ) -> Result<TenantRecord, Error> {
        self.store().change(slug, change, decide).await?;
        tracing::info!(tenant = %slug, actor = change.actor, action = change.action, "changed");
        self.store().tenant(slug).await
    }
}
