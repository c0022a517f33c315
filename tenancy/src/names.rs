//! Names, each with one constructor: raw strings stop here.
//!
//! What passes may be written into SQL and URLs as it stands. That holds because each name is
//! made of `a-z 0-9 _ - .` alone, and because PostgreSQL's own names never begin with `tenant_`.

use std::{fmt, str::FromStr, sync::Arc};

use serde::Serialize;
use uuid::Uuid;

/// Slugs that nobody can have: hosts and paths of the platform's own.
pub const RESERVED: &[&str] = &[
    "about",
    "abuse",
    "account",
    "accounts",
    "admin",
    "administrator",
    "api",
    "app",
    "apps",
    "assets",
    "audit",
    "auth",
    "billing",
    "blog",
    "cdn",
    "console",
    "control",
    "dashboard",
    "data",
    "demo",
    "dev",
    "developer",
    "developers",
    "dns",
    "docs",
    "email",
    "ftp",
    "gateway",
    "health",
    "help",
    "host",
    "hostmaster",
    "imap",
    "info",
    "internal",
    "invitations",
    "list",
    "localhost",
    "login",
    "logout",
    "mail",
    "metrics",
    "mx",
    "news",
    "ns1",
    "ns2",
    "oauth",
    "openapi",
    "ops",
    "pgadmin",
    "plans",
    "platform",
    "pop",
    "pop3",
    "postgres",
    "postmaster",
    "register",
    "root",
    "security",
    "settings",
    "sign-in",
    "sign-out",
    "sign-up",
    "signin",
    "signout",
    "signup",
    "smtp",
    "sso",
    "staging",
    "static",
    "stats",
    "status",
    "support",
    "system",
    "tenant",
    "tenantry",
    "tenants",
    "test",
    "users",
    "webmail",
    "webmaster",
    "well-known",
    "www",
];

/// Why a text is not the name it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadName(&'static str);

/// A tenant's short name: its subdomain, header and path. 3 to 40 characters of `a-z 0-9` and
/// single inner hyphens, beginning with a letter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Slug(Arc<str>);

impl Slug {
    /// The slug as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the platform keeps it for itself.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        RESERVED.contains(&self.as_str()) || self.as_str().starts_with("xn--")
    }
}

impl FromStr for Slug {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        if !(3..=40).contains(&text.len()) {
            return Err(BadName("must have 3 to 40 characters"));
        }
        if !text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            return Err(BadName("may only contain a-z, 0-9 and hyphens"));
        }
        if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Err(BadName("must start with a letter"));
        }
        if text.ends_with('-') || text.contains("--") {
            return Err(BadName(
                "may only have single hyphens between other characters",
            ));
        }
        Ok(Self(text.into()))
    }
}

/// The schema that holds all of a tenant's tables.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SchemaName(Arc<str>);

impl SchemaName {
    /// The schema of a new tenant. Slugs have no underscore, so no two share a schema.
    #[must_use]
    pub fn of(slug: &Slug) -> Self {
        Self(format!("tenant_{}", slug.as_str().replace('-', "_")).into())
    }

    /// The name as text, safe in SQL without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SchemaName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        identifier(text).map(Self)
    }
}

/// The role that may use one tenant's schema and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoleName(Arc<str>);

impl RoleName {
    /// The name as text, safe in SQL without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoleName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        identifier(text).map(Self)
    }
}

fn identifier(text: &str) -> Result<Arc<str>, BadName> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let tail = text.strip_prefix("tenant_").unwrap_or_default();
    if tail.is_empty() || text.len() > 63 || !tail.bytes().all(plain) {
        return Err(BadName("is no name of a tenant's schema or role"));
    }
    Ok(text.into())
}

/// A host name in lower case ASCII (IDNA A-labels), without port and trailing dot. Addresses in
/// digits are no host names here.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Hostname(Arc<str>);

impl Hostname {
    /// The host name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The label in front of a parent domain: `acme` of `acme.localhost` under `localhost`.
    #[must_use]
    pub fn label_under(&self, parent: &str) -> Option<&str> {
        self.0.strip_suffix(parent)?.strip_suffix('.')
    }
}

impl FromStr for Hostname {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let bad = BadName("is not a host name");
        let text = text.strip_suffix('.').unwrap_or(text);
        let ascii = idna::domain_to_ascii_strict(text).map_err(|_| bad.clone())?;
        let last = ascii.rsplit('.').next().unwrap_or_default();
        let numeric = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
        if ascii.is_empty() || ascii.len() > 253 || numeric {
            return Err(bad);
        }
        Ok(Self(ascii.into()))
    }
}

/// A tenant's id: UUID version 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct TenantId(Uuid);

impl TenantId {
    /// The id of a UUID.
    #[must_use]
    pub fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// The UUID, as a parameter.
    #[must_use]
    pub fn as_uuid(&self) -> &Uuid {
        &self.0
    }
}

impl FromStr for TenantId {
    type Err = BadName;

    /// Takes the hyphenated form alone, so that one id has one spelling.
    fn from_str(text: &str) -> Result<Self, BadName> {
        let bad = BadName("is not an id");
        let id: Uuid = text.parse().map_err(|_| bad.clone())?;
        if id.hyphenated().to_string() == text.to_ascii_lowercase() {
            Ok(Self(id))
        } else {
            Err(bad)
        }
    }
}

macro_rules! display {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    )*};
}

display!(Slug, SchemaName, RoleName, Hostname, TenantId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_checked() {
        for good in ["abc", "a1-b2", "acme", &"a".repeat(40)] {
            assert!(good.parse::<Slug>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "ab",
            "Acme",
            "1abc",
            "-abc",
            "abc-",
            "a--b",
            "a_b",
            "a.b",
            "a b",
            "a/b",
            "аcme",
            "acme\0",
            "acme\n",
            "ａcme",
            "tenant\"x",
            &"a".repeat(41),
        ] {
            assert!(bad.parse::<Slug>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn reserved_slugs_are_known_and_sorted() {
        assert!(RESERVED.is_sorted());
        assert!("www".parse::<Slug>().unwrap().is_reserved());
        assert!(!"acme".parse::<Slug>().unwrap().is_reserved());
    }

    #[test]
    fn schemas_follow_slugs() {
        let slug: Slug = "a1-b2".parse().unwrap();
        assert_eq!(SchemaName::of(&slug).as_str(), "tenant_a1_b2");
        assert!("tenant_a1_b2".parse::<SchemaName>().is_ok());
        for bad in [
            "",
            "tenant_",
            "platform",
            "tenant_a;b",
            "tenant_\"",
            "tenant_A",
            "pg_catalog",
        ] {
            assert!(bad.parse::<SchemaName>().is_err(), "{bad:?}");
            assert!(bad.parse::<RoleName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn hosts_have_one_spelling() {
        let host = |text: &str| text.parse::<Hostname>().ok().map(|host| host.to_string());
        assert_eq!(host("ACME.Localhost.").as_deref(), Some("acme.localhost"));
        assert_eq!(
            host("bücher.example").as_deref(),
            Some("xn--bcher-kva.example")
        );
        for bad in [
            "",
            ".",
            "a..b",
            "a b",
            "-a.example",
            "127.0.0.1",
            "0x7f.1",
            "[::1]",
            "a_b.c",
            "a/b",
        ] {
            assert_eq!(host(bad), None, "{bad:?}");
        }
        let acme: Hostname = "acme.localhost".parse().unwrap();
        assert_eq!(acme.label_under("localhost"), Some("acme"));
        assert_eq!(acme.label_under("host"), None);
    }

    #[test]
    fn ids_have_one_spelling() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        assert!(id.parse::<TenantId>().is_ok());
        assert!(id.to_uppercase().parse::<TenantId>().is_ok());
        for bad in [
            "",
            "1",
            &id.replace('-', ""),
            &format!("{{{id}}}"),
            &format!("urn:uuid:{id}"),
        ] {
            assert!(bad.parse::<TenantId>().is_err(), "{bad:?}");
        }
    }
}
