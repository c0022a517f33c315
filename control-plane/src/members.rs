//! Users of a tenant, as far as operators see to them: somebody must be able to sign in.
//!
//! Everything else about users is the tenant's own business, in the data plane.

use serde::Deserialize;
use serde_json::json;
use service::{
    Faults,
    account::{self, PasswordRules},
    body::Text,
    email,
    password::Share,
};
use tenancy::Slug;
use utoipa::ToSchema;

use crate::{
    app::ControlPlane,
    error::Error,
    store::members::{Member, NewRow},
};

/// What a member of a tenant may be.
const ROLES: [&str; 3] = ["owner", "admin", "user"];

/// A user to be added to a tenant.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = NewUser, example = json!(
    {"username": "ada", "email": "ada@example.com", "password": "correct horse battery",
    "role": "owner"}
))]
pub struct NewMember {
    /// 3 to 64 of letters, digits, `.`, `_` and `-`.
    #[serde(default)]
    #[schema(value_type = String)]
    pub username: Text,
    /// Their email address.
    #[serde(default)]
    #[schema(value_type = String)]
    pub email: Text,
    /// What the tenant asks of a new password.
    #[serde(default)]
    #[schema(value_type = String, format = Password)]
    pub password: Text,
    /// `owner`, `admin` or `user` (default).
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub role: Text,
}

impl ControlPlane {
    /// Adds a user to a tenant.
    ///
    /// # Errors
    /// `NoTenant`, `Taken`, `Quota`; 422 naming every field's fault.
    pub async fn create_user(
        &self,
        slug: &Slug,
        new: NewMember,
        actor: &str,
    ) -> Result<Member, Error> {
        let mut faults = Faults::new();
        let username = account::username(new.username, "username", &mut faults);
        let email = account::email(new.email, "email", &mut faults);
        let names = [username.as_deref(), email.as_deref()];
        let rules = self.password_rules(slug).await?;
        let password = account::password(new.password, rules, &names, "password", &mut faults);
        let role = role(new.role, &mut faults);
        let (Some(username), Some(email), Some(password), Some(role)) =
            (username, email, password, role)
        else {
            return Err(faults.into());
        };
        let row = NewRow {
            id: self.entropy().id(self.clock()),
            password_hash: self.hasher().hash(Share::operators(), &password).await?,
            username,
            email,
            role,
        };
        let detail = json!({ "user": row.id, "username": row.username, "role": row.role });
        let change = self.audit_entry(actor, "user.created", detail);
        self.store().add_member(slug, &row, &change).await
    }

    /// Sets the password of the user of a username or email address, ends their sessions and
    /// revokes their tokens.
    ///
    /// # Errors
    /// `NoTenant`, `NoUser`; 422 for the password.
    pub async fn reset_password(
        &self,
        slug: &Slug,
        user: &str,
        new: Text,
        actor: &str,
    ) -> Result<Member, Error> {
        let member = self.store().member(slug, &email::login(user)).await?;
        let names = [Some(member.username.as_str()), Some(member.email.as_str())];
        let rules = self.password_rules(slug).await?;
        let mut faults = Faults::new();
        let Some(password) = account::password(new, rules, &names, "password", &mut faults) else {
            return Err(faults.into());
        };
        let hash = self.hasher().hash(Share::operators(), &password).await?;
        let change = self.audit_entry(actor, "user.password-reset", json!({ "user": user }));
        let set = self.store().set_password(slug, &member, &hash, &change);
        set.await
    }

    /// What a tenant asks of a new password.
    async fn password_rules(&self, slug: &Slug) -> Result<PasswordRules, Error> {
        let policy = self.store().settings(slug).await?.password_policy;
        Ok(PasswordRules {
            min_length: policy.min_length.into(),
            min_score: policy.min_score,
        })
    }
}

fn role(text: Text, faults: &mut Faults) -> Option<&'static str> {
    if text == Text::Missing {
        return Some("user");
    }
    let text = text.required("role", faults)?;
    let known = ROLES.into_iter().find(|role| *role == text);
    if known.is_none() {
        faults.add("role", format!("must be one of {}", ROLES.join(", ")));
    }
    known
}
