//! Sign-up: an application is validated whole, the password hashed outside of any transaction,
//! and the tenant made.

mod answer;
pub(crate) mod application;
mod slug_availability;

use secrecy::{ExposeSecret, SecretString};
use service::{Digest, Kind, Minted, Problem, body::Text, password::Share};
use tenancy::{Status, TenantId};

pub(crate) use answer::Answer;
pub use answer::SignedUp;
pub use application::Application;
pub(crate) use application::{is_reserved, refusal};
pub(crate) use slug_availability::SlugAvailability;

use crate::{
    actor::Actor,
    app::ControlPlane,
    error::Error,
    store::{
        plans::Plan,
        signups::{EarlierSignUp, Key, NewTenant, Outcome, Owner},
    },
};
use answer::{AccessInfo, Admin, Tenant};
use application::Accepted;

impl ControlPlane {
    /// Makes a tenant that serves at once. A key makes repeating safe: the same application from the
    /// same sender gets the same answer, without making anything twice.
    ///
    /// # Errors
    /// 422 naming every field's fault, `Taken` for a slug or domain, 422 for a key that came
    /// with another application or another password.
    pub async fn sign_up(
        &self,
        application: Application,
        key: Option<&str>,
        actor: &Actor<'_>,
        share: Share,
    ) -> Result<SignedUp, Error> {
        let with_code = application.sign_in_code;
        // An application of which some field is no text was never taken, so its key is free.
        let key = key.zip(application.digest()).map(|(key, request)| Key {
            key: actor.idempotency_key(key),
            request,
        });
        // Before it is checked: what was taken once is not judged by what has changed since.
        if let Some(key) = &key
            && let Text::Given(password) = &application.admin_password
            && let Some(earlier) = self.store().earlier_sign_up(key).await?
        {
            let password = SecretString::from(password.clone());
            return self.repeat(earlier, share, &password).await;
        }
        let plans = self.store().plans().await?;
        let accepted = application.check(self.hosts(), &choice(plans, actor))?;
        let password = accepted.password.clone();
        let mut new = self.new_tenant(accepted, key, actor, share).await?;
        let code = with_code.then(|| Minted::new(self.entropy(), "tnt_sc_").secret);
        let digest = |code: &SecretString| Digest::of_sign_in_code(code.expose_secret());
        new.owner.sign_in_code = code.as_ref().map(digest);
        let response = new.response.clone();
        match self.store().sign_up(&new).await? {
            Outcome::Made => {
                tracing::info!(tenant = %new.slug, "signed up");
                Ok(SignedUp::read(response)?.with_code(code))
            }
            Outcome::KeyInUse(earlier) => self.repeat(earlier, share, &password).await,
        }
    }

    /// The answer of an earlier sign-up with the same key, for whoever sends all that it came with.
    /// Hashes are kept for passwords, so one is compared last, and by hashing.
    async fn repeat(
        &self,
        earlier: EarlierSignUp,
        share: Share,
        password: &SecretString,
    ) -> Result<SignedUp, Error> {
        let hash = earlier.password_hash.filter(|_| earlier.is_same_request);
        match hash {
            Some(hash) if self.hasher().verify(share, password, Some(&hash)).await? => {
                SignedUp::read(earlier.response)
            }
            _ => Err(Problem::new(Kind::IdempotencyKeyReused).into()),
        }
    }

    async fn new_tenant(
        &self,
        accepted: Accepted,
        key: Option<Key>,
        actor: &Actor<'_>,
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
                sign_in_code: None,
            },
            actor: actor.name().to_owned(),
            any_plan: !matches!(actor, Actor::Stranger),
            now: self.now(),
            key,
            response: serde_json::to_value(&answer).map_err(|cause| Problem::internal(&cause))?,
        })
    }
}

/// The names of the plans that somebody may choose, in the operator's order.
fn choice(plans: Vec<Plan>, actor: &Actor<'_>) -> Vec<String> {
    let any = !matches!(actor, Actor::Stranger);
    let open = plans.into_iter().filter(|plan| any || plan.self_serve);
    open.map(|plan| plan.name).collect()
}
