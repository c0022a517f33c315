//! What an applicant sends, and what it must be.

use secrecy::SecretString;
use serde::Deserialize;
use service::{
    Digest, Faults, account,
    body::Text,
    hosts::{HostRole, PlatformHosts},
    label,
};
use tenancy::{Hostname, Slug};
use utoipa::ToSchema;

/// An application for a tenant.
#[derive(Default, Deserialize, ToSchema)]
#[schema(example = json!(
    {"tenant_name": "Acme", "tenant_slug": "acme", "admin_username": "ada",
    "admin_email": "ada@example.com", "admin_password": "correct horse battery", "plan": "free"}
))]
pub struct Application {
    /// For people: 1 to 100 characters.
    #[serde(default)]
    #[schema(value_type = String)]
    pub tenant_name: Text,
    /// 3 to 40 of a-z, 0-9 and single inner hyphens, beginning with a letter.
    #[serde(default)]
    #[schema(value_type = String)]
    pub tenant_slug: Text,
    /// The owner's username: 3 to 64 of letters, digits, `.`, `_` and `-`.
    #[serde(default)]
    #[schema(value_type = String)]
    pub admin_username: Text,
    /// The owner's email address.
    #[serde(default)]
    #[schema(value_type = String)]
    pub admin_email: Text,
    /// The owner's password: 8 to 256 characters.
    #[serde(default)]
    #[schema(value_type = String, format = Password)]
    pub admin_password: Text,
    /// A domain of the tenant's own, served once it is verified.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub domain: Text,
    /// One of those at `/tenants/plans`; the first of them by default. Operators may name any.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub plan: Text,
    /// Whether to answer with a code that signs the owner in once, within a minute
    /// (`POST /oauth/login/code` at the tenant). An answer that is repeated has none.
    #[serde(default)]
    pub sign_in_code: bool,
}

/// An application without faults.
pub(super) struct Accepted {
    pub(super) name: String,
    pub(super) slug: Slug,
    pub(super) username: String,
    pub(super) email: String,
    pub(super) password: SecretString,
    pub(super) domain: Option<Hostname>,
    pub(super) plan: String,
}

impl Application {
    /// Tells applications apart as they were sent, before anything is asked of them that may change:
    /// which plans are open, which slugs are reserved, what a password needs. The password is left
    /// out: a fast digest of it would be one more place to guess it from. It is compared by the hash
    /// that is kept with the key. `None` when a field is no text.
    pub(super) fn digest(&self) -> Option<Digest> {
        let sent = [
            &self.tenant_name,
            &self.tenant_slug,
            &self.admin_username,
            &self.admin_email,
            &self.domain,
            &self.plan,
        ];
        let text = |text: &Text| match text {
            Text::Missing => Some(None),
            // A form sends an empty field where nothing was chosen.
            Text::Given(text) => Some(Some(text.clone()).filter(|text| !text.is_empty())),
            Text::NotText => None,
        };
        let parts: Vec<Option<String>> = sent.into_iter().map(text).collect::<Option<_>>()?;
        Some(Digest::of(&serde_json::to_string(&parts).ok()?))
    }

    /// Checks every field; `plans` are those that the applicant may choose, the default first.
    ///
    /// # Errors
    /// All faults at once.
    pub(super) fn check(self, hosts: &PlatformHosts, plans: &[String]) -> Result<Accepted, Faults> {
        let mut faults = Faults::new();
        let name = name(self.tenant_name, "tenant_name", &mut faults);
        let slug = slug(self.tenant_slug, "tenant_slug", hosts, &mut faults);
        let username = account::username(self.admin_username, "admin_username", &mut faults);
        let email = account::email(self.admin_email, "admin_email", &mut faults);
        let names = [username.as_deref(), email.as_deref()];
        let (text, rules) = (self.admin_password, account::PasswordRules::default());
        let password = account::password(text, rules, &names, "admin_password", &mut faults);
        let domain = domain(self.domain, hosts, &mut faults);
        let plan = plan(self.plan, plans, &mut faults);
        let complete = || {
            Some(Accepted {
                name: name?,
                slug: slug?,
                username: username?,
                email: email?,
                password: password?,
                domain,
                plan: plan?,
            })
        };
        complete().filter(|_| faults.is_empty()).ok_or(faults)
    }
}

/// A tenant's name, for people.
pub(crate) fn name(text: Text, field: &'static str, faults: &mut Faults) -> Option<String> {
    let name = text.required(field, faults)?;
    faults.check(field, label(&name, 100))
}

/// A slug that a tenant may have.
pub(crate) fn slug(
    text: Text,
    field: &'static str,
    hosts: &PlatformHosts,
    faults: &mut Faults,
) -> Option<Slug> {
    let text = text.required(field, faults)?;
    let slug: Slug = faults.check(field, text.parse())?;
    if is_reserved(&slug, hosts) {
        faults.add(field, "is reserved");
        return None;
    }
    Some(slug)
}

/// Whether the platform keeps a slug for itself: a word of its own, or one of its hosts.
pub(crate) fn is_reserved(slug: &Slug, hosts: &PlatformHosts) -> bool {
    slug.is_reserved() || hosts.reserve(slug.as_str())
}

fn domain(text: Text, hosts: &PlatformHosts, faults: &mut Faults) -> Option<Hostname> {
    let text = text
        .optional("domain", faults)
        .filter(|text| !text.is_empty())?;
    let host: Hostname = faults.check("domain", text.parse())?;
    match refusal(&host, hosts) {
        Some(fault) => {
            faults.add("domain", fault);
            None
        }
        None => Some(host),
    }
}

fn plan(text: Text, plans: &[String], faults: &mut Faults) -> Option<String> {
    // A form sends an empty field where nothing was chosen.
    let plan = if text == Text::Missing || text == Text::Given(String::new()) {
        plans.first().cloned()
    } else {
        let named = text.required("plan", faults)?;
        Some(named).filter(|named| plans.contains(named))
    };
    if plan.is_none() {
        faults.add("plan", format!("must be one of {}", plans.join(", ")));
    }
    plan
}

/// Why a host cannot be a tenant's own domain.
pub(crate) fn refusal(host: &Hostname, hosts: &PlatformHosts) -> Option<&'static str> {
    match hosts.role_of_name(host.as_str()) {
        HostRole::Platform | HostRole::Subdomain(_) => Some("belongs to the platform"),
        HostRole::Other(name) if !name.contains('.') => Some("must have a dot"),
        HostRole::Other(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use service::settings::Addresses;

    use super::*;

    fn hosts() -> PlatformHosts {
        PlatformHosts::new(&Addresses::default())
    }

    fn faults(value: serde_json::Value) -> (bool, Vec<String>) {
        let application: Application = serde_json::from_value(value).unwrap();
        let checked = application.check(&hosts(), &["free".to_owned()]);
        let text = format!("{:?}", checked.as_ref().err());
        let fields = [
            "tenant_name",
            "tenant_slug",
            "admin_username",
            "admin_email",
            "admin_password",
            "domain",
            "plan",
        ];
        let named = fields
            .iter()
            .filter(|field| text.contains(&format!("\"{field}\"")));
        (checked.is_ok(), named.map(ToString::to_string).collect())
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let (accepted, fields) = faults(json!({
            "tenant_name": "\n", "tenant_slug": "WWW", "admin_username": 7, "admin_email": "x",
            "admin_password": "short", "domain": "127.0.0.1", "plan": ["free"],
        }));
        assert!(!accepted);
        assert_eq!(fields.len(), 7, "{fields:?}");
        assert_eq!(faults(json!({})).1.len(), 5);
    }

    #[test]
    fn a_tenants_own_domain_is_no_name_of_ours() {
        let check = |domain: &str| {
            let host: Hostname = domain.parse().unwrap();
            refusal(&host, &hosts())
        };
        assert_eq!(check("app.example.com"), None);
        for ours in ["localhost", "acme.localhost", "a.b.localhost", "intranet"] {
            assert!(check(ours).is_some(), "{ours}");
        }
    }
}
