//! What an applicant sends, and what they get.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use service::{Digest, Faults, Problem, account, body::Text, settings::Addresses};
use tenancy::{Hostname, Slug};
use utoipa::ToSchema;

use crate::error::Error;

/// The plan of those who name none.
const USUAL_PLAN: &str = "free";

/// An application for a tenant.
#[derive(Default, Deserialize, ToSchema)]
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
    /// `free` (default), `basic`, `premium`, `enterprise`, or what the operator added.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub plan: Text,
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

impl Accepted {
    /// Tells applications apart. The password is left out: a digest of it would be one more place
    /// to guess it from.
    pub(super) fn digest(&self) -> Digest {
        let domain = self.domain.as_ref().map(Hostname::as_str);
        let parts = (
            &self.name,
            &self.slug,
            &self.username,
            &self.email,
            domain,
            &self.plan,
        );
        Digest::of(&serde_json::to_string(&parts).unwrap_or_default())
    }
}

impl Application {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub(super) fn check(self, addresses: &Addresses, plans: &[String]) -> Result<Accepted, Faults> {
        let mut faults = Faults::new();
        let name = name(self.tenant_name, "tenant_name", &mut faults);
        let slug = slug(self.tenant_slug, "tenant_slug", &mut faults);
        let username = account::username(self.admin_username, "admin_username", &mut faults);
        let email = account::email(self.admin_email, "admin_email", &mut faults);
        let password = password(self.admin_password, username.as_deref(), &mut faults);
        let domain = domain(self.domain, addresses, &mut faults);
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
    let name = text.required(field, faults)?.trim().to_owned();
    if !(1..=100).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        faults.add(field, "must have 1 to 100 printable characters");
        return None;
    }
    Some(name)
}

/// A slug that a tenant may have.
pub(crate) fn slug(text: Text, field: &'static str, faults: &mut Faults) -> Option<Slug> {
    let text = text.required(field, faults)?;
    let slug: Slug = faults.check(field, text.parse())?;
    if slug.is_reserved() {
        faults.add(field, "is reserved");
        return None;
    }
    Some(slug)
}

fn domain(text: Text, addresses: &Addresses, faults: &mut Faults) -> Option<Hostname> {
    let text = text
        .optional("domain", faults)
        .filter(|text| !text.is_empty())?;
    let host: Hostname = faults.check("domain", text.parse())?;
    match refusal(&host, addresses) {
        Some(fault) => {
            faults.add("domain", fault);
            None
        }
        None => Some(host),
    }
}

fn password(text: Text, username: Option<&str>, faults: &mut Faults) -> Option<SecretString> {
    let password = account::password(text, account::LEAST_PASSWORD, "admin_password", faults)?;
    if username.is_some_and(|name| name.eq_ignore_ascii_case(password.expose_secret())) {
        faults.add("admin_password", "must not be the username");
        return None;
    }
    Some(password)
}

fn plan(text: Text, plans: &[String], faults: &mut Faults) -> Option<String> {
    // A form sends an empty field where nothing was chosen.
    if text == Text::Missing || text == Text::Given(String::new()) {
        return Some(USUAL_PLAN.to_owned());
    }
    let plan = text.required("plan", faults)?;
    if !plans.contains(&plan) {
        faults.add("plan", format!("must be one of {}", plans.join(", ")));
        return None;
    }
    Some(plan)
}

/// Why a host cannot be a tenant's own domain.
pub(crate) fn refusal(host: &Hostname, addresses: &Addresses) -> Option<&'static str> {
    let own = addresses
        .platform_hosts
        .iter()
        .any(|own| own.eq_ignore_ascii_case(host.as_str()));
    let base = addresses.base_domain.as_str();
    if own || host.as_str() == base || host.label_under(base).is_some() {
        Some("belongs to the platform")
    } else if !host.as_str().contains('.') {
        Some("must have a dot")
    } else {
        None
    }
}

/// The answer to a sign-up.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = SignedUp)]
pub(crate) struct Answer {
    pub(super) message: String,
    pub(super) tenant: Tenant,
    pub(super) admin: Admin,
    pub(super) access_info: AccessInfo,
}

/// The tenant that was made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Tenant {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) slug: String,
    /// Claimed; served once it is verified.
    pub(super) domain: Option<String>,
    pub(super) plan: String,
    /// Always `active`.
    pub(super) status: String,
}

/// Its owner.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Admin {
    pub(super) id: String,
    pub(super) username: String,
    pub(super) email: String,
    /// Always `owner`.
    pub(super) role: String,
}

/// The ways to name it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AccessInfo {
    /// Its own address.
    subdomain: String,
    /// A header at the platform's address.
    header: String,
    /// A path at the platform's address.
    path: String,
}

impl AccessInfo {
    pub(super) fn new(slug: &Slug, addresses: &Addresses) -> Self {
        let api = addresses.api_of(&addresses.base_domain);
        Self {
            subdomain: addresses.api_of(&addresses.subdomain(slug.as_str())),
            header: format!("X-Tenant-Slug: {slug}"),
            path: format!("{api}/tenants/{slug}"),
        }
    }
}

/// A tenant that was made, as it is answered.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct SignedUp(pub(crate) Answer);

impl SignedUp {
    pub(super) fn read(response: serde_json::Value) -> Result<Self, Error> {
        let answer = serde_json::from_value(response);
        Ok(Self(answer.map_err(|cause| Problem::internal(&cause))?))
    }

    /// The tenant's slug.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.0.tenant.slug
    }

    /// Its own address, for the command line to show.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.0.access_info.subdomain
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(value: serde_json::Value) -> (bool, Vec<String>) {
        let application: Application = serde_json::from_value(value).unwrap();
        let checked = application.check(&Addresses::default(), &["free".to_owned()]);
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
            refusal(&host, &Addresses::default())
        };
        assert_eq!(check("app.example.com"), None);
        for ours in ["localhost", "acme.localhost", "a.b.localhost", "intranet"] {
            assert!(check(ours).is_some(), "{ours}");
        }
    }
}
