//! Sign-up: an application is validated whole, the password hashed outside of any transaction,
//! and the tenant made.

mod answer;
pub(crate) mod application;
mod slug_availability;

use service::{Digest, Kind, Problem, password::Share};
use tenancy::{Status, TenantId};

pub(crate) use answer::Answer;
pub use answer::SignedUp;
pub use application::Application;
pub(crate) use application::{is_reserved, refusal};
pub(crate) use slug_availability::SlugAvailability;

use crate::{
    app::ControlPlane,
    error::Error,
    store::signups::{Key, NewTenant, Outcome, Owner},
};
use answer::{AccessInfo, Admin, Tenant};
use application::Accepted;

impl ControlPlane {
    /// Makes a tenant that serves at once. A key makes repeating safe: the same application gets
    /// the same answer, without making anything twice.
    ///
    /// # Errors
    /// 422 naming every field's fault, `Taken` for a slug or domain, 422 for a key that came
    /// with another application.
    pub async fn sign_up(
        &self,
        application: Application,
        key: Option<&str>,
        actor: &str,
        share: Share,
    ) -> Result<SignedUp, Error> {
        let accepted = application.check(self.hosts(), &self.store().plans().await?)?;
        let key = key.map(|key| Key {
            key: Digest::of(key),
            request: accepted.digest(),
        });
        if let Some(key) = &key
            && let Some(outcome) = self.store().answered(key).await?
        {
            return repeat(outcome);
        }
        let new = self.new_tenant(accepted, key, actor, share).await?;
        let response = new.response.clone();
        match self.store().sign_up(&new).await? {
            Outcome::Made => {
                tracing::info!(tenant = %new.slug, "signed up");
                SignedUp::read(response)
            }
            outcome => repeat(outcome),
        }
    }

    async fn new_tenant(
        &self,
        accepted: Accepted,
        key: Option<Key>,
        actor: &str,
        share: Share,
    ) -> Result<NewTenant, Error> {
        let password_hash = self.hasher().hash(share, &accepted.password).await?;
        let (id, owner) = (
            self.entropy().id(self.clock()),
            self.entropy().id(self.clock()),
        );
        let id = TenantId::new(id);
        let answer = Answer {
            message: "The tenant is ready.".to_owned(),
            tenant: Tenant {
                id: id.to_string(),
                name: accepted.name.clone(),
                slug: accepted.slug.to_string(),
                domain: accepted.domain.as_ref().map(ToString::to_string),
                plan: accepted.plan.clone(),
                status: Status::Active.as_str().to_owned(),
            },
            admin: Admin {
                id: owner.to_string(),
                username: accepted.username.clone(),
                email: accepted.email.clone(),
                role: "owner".to_owned(),
            },
            access_info: AccessInfo::new(&accepted.slug, self.addresses()),
        };
        Ok(NewTenant {
            id,
            slug: accepted.slug,
            name: accepted.name,
            plan: accepted.plan,
            domain: accepted.domain,
            owner: Owner {
                id: owner,
                username: accepted.username,
                email: accepted.email,
                password_hash,
            },
            actor: actor.to_owned(),
            now: self.now(),
            key,
            response: serde_json::to_value(&answer).map_err(|cause| Problem::internal(&cause))?,
        })
    }
}

/// The answer of an earlier sign-up with the same key.
fn repeat(outcome: Outcome) -> Result<SignedUp, Error> {
    match outcome {
        Outcome::Repeated(response) => SignedUp::read(response),
        Outcome::Made | Outcome::OtherRequest => {
            Err(Problem::new(Kind::IdempotencyKeyReused).into())
        }
    }
}
