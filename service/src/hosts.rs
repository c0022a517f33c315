//! Hosts: one canonical form for all of them, and the one rule by which some are the platform's.
//!
//! The data plane, the pages, sign-up, renames and claims of domains go by [`PlatformHosts`], and
//! `docker/nginx/configure` by the same settings: a host that is the platform's to one of them is
//! to all. `testkit::hosts` holds the table that is run through each.

use std::{fmt, str::FromStr};

use http::uri::Authority;

use crate::settings::Addresses;

/// A host in the one form in which hosts are compared: a name in lower case and A-labels (IDNA)
/// without a trailing dot, or an IP address, however it was written. Without a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host(url::Host);

/// The text is neither a host name nor an IP address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a host name")]
pub struct NotAHost;

impl Host {
    /// The host of a `Host` header or of a URL's authority, its port aside. Neither may have a
    /// user in it.
    ///
    /// # Errors
    /// [`NotAHost`].
    pub fn of_authority(text: &str) -> Result<Self, NotAHost> {
        let authority: Authority = text.parse().map_err(|_| NotAHost)?;
        if text.contains('@') {
            return Err(NotAHost);
        }
        authority.host().parse()
    }

    /// The name; `None` for an IP address.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match &self.0 {
            url::Host::Domain(name) => Some(name),
            url::Host::Ipv4(_) | url::Host::Ipv6(_) => None,
        }
    }
}

impl FromStr for Host {
    type Err = NotAHost;

    fn from_str(text: &str) -> Result<Self, NotAHost> {
        if is_canonical(text) {
            return Ok(Self(url::Host::Domain(text.to_owned())));
        }
        // The parser is one of URLs, where a host may be percent-encoded. Elsewhere it may not.
        if text.contains('%') {
            return Err(NotAHost);
        }
        let host = match url::Host::parse(text).map_err(|_| NotAHost)? {
            url::Host::Domain(mut name) => {
                if name.ends_with('.') {
                    name.pop();
                }
                if name.is_empty() || name.ends_with('.') {
                    return Err(NotAHost);
                }
                url::Host::Domain(name)
            }
            address => address,
        };
        Ok(Self(host))
    }
}

/// Whether a text is the canonical form of a name, as far as that is seen at once. The rest is parsed:
/// what begins its last label with a digit may be an address, and A-labels have to be valid.
fn is_canonical(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_label =
        |label: &str| !label.is_empty() && !label.starts_with("xn--") && label.bytes().all(plain);
    let last = text.rsplit('.').next().unwrap_or_default();
    last.starts_with(|first: char| first.is_ascii_lowercase()) && text.split('.').all(is_label)
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Whose a host may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostRole<'a> {
    /// The platform's: it names no tenant, and can be no tenant's slug or domain. So is every IP
    /// address.
    Platform,
    /// What stands in front of `BASE_DOMAIN`: a tenant's slug, or nothing.
    Subdomain(&'a str),
    /// Any other name: a tenant's verified domain, or nobody's.
    Other(&'a str),
}

/// The hosts that are the platform's own: `BASE_DOMAIN`, those of `API_PUBLIC_URL` and
/// `PAGES_PUBLIC_URL`, and `PLATFORM_HOSTS`.
#[derive(Clone, Debug)]
pub struct PlatformHosts {
    base: String,
    own: Vec<String>,
}

impl PlatformHosts {
    /// Those of some addresses.
    #[must_use]
    pub fn new(addresses: &Addresses) -> Self {
        let (api, pages) = (addresses.api(), addresses.pages());
        let public = [api.host_str(), pages.host_str()].into_iter().flatten();
        let further = addresses.platform_hosts.iter().map(String::as_str);
        let own = public
            .chain(further)
            .chain([addresses.base_domain.as_str()])
            .filter_map(canonical_name);
        Self {
            own: own.collect(),
            base: canonical_name(&addresses.base_domain).unwrap_or_default(),
        }
    }

    /// Whose a host may be.
    #[must_use]
    pub fn role<'a>(&self, host: &'a Host) -> HostRole<'a> {
        host.name()
            .map_or(HostRole::Platform, |name| self.role_of_name(name))
    }

    /// The same of a name that is in canonical form already.
    #[must_use]
    pub fn role_of_name<'a>(&self, name: &'a str) -> HostRole<'a> {
        if self.own.iter().any(|own| own == name) {
            return HostRole::Platform;
        }
        match self.label(name) {
            Some(label) => HostRole::Subdomain(label),
            None => HostRole::Other(name),
        }
    }

    /// Whether a slug's subdomain is one of the platform's hosts, so that no tenant can have it.
    #[must_use]
    pub fn reserve(&self, slug: &str) -> bool {
        self.own.iter().any(|own| self.label(own) == Some(slug))
    }

    fn label<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.strip_suffix(&self.base)?.strip_suffix('.')
    }
}

fn canonical_name(text: &str) -> Option<String> {
    let host: Host = text.parse().ok()?;
    host.name().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Option<String> {
        text.parse::<Host>().ok().map(|host| host.to_string())
    }

    #[test]
    fn a_host_has_one_form() {
        for (text, host) in [
            ("ACME.Localhost.", "acme.localhost"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
            ("127.1", "127.0.0.1"),
            ("0x7f.1", "127.0.0.1"),
            ("127.0.0.1.", "127.0.0.1"),
            ("[0:0:0:0:0:0:0:1]", "[::1]"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(host), "{text}");
        }
        for none in [
            "",
            ".",
            "a..",
            "a b",
            "a/b",
            "a:80",
            "u@a",
            "loc%61lhost",
            "1.2.3.4.5",
            "[::1",
            "::1",
        ] {
            assert_eq!(canonical(none), None, "{none}");
        }
    }

    #[test]
    fn what_is_seen_to_be_canonical_is_what_the_parser_makes_of_it() {
        let labels = [
            "a", "xn--a", "0", "0x1", "f0", "-", "--", "a--b", "A", "é", "%61", "_", "",
        ];
        let pairs = labels.map(|one| labels.map(|other| format!("{one}.{other}")));
        let pairs = pairs.as_flattened().iter();
        let all = pairs.flat_map(|pair| labels.map(|last| format!("{pair}.{last}")));
        let mut seen = 0;
        for text in all.filter(|text| is_canonical(text)) {
            seen += 1;
            let parsed = url::Host::parse(&text).map(|host| host.to_string());
            assert_eq!(parsed.as_ref(), Ok(&text), "{text}");
        }
        assert!(seen > 50, "{seen}");
    }

    #[test]
    fn an_authority_is_read_without_its_port_and_never_with_a_user() {
        let host = |text: &str| Host::of_authority(text).map(|host| host.to_string());
        assert_eq!(host("Acme.LocalHost.:8000"), Ok("acme.localhost".into()));
        assert_eq!(host("[::1]:8000"), Ok("[::1]".into()));
        for none in ["", "a b", "acme.localhost:8000:1", "acme@localhost", ":80"] {
            assert_eq!(host(none), Err(NotAHost), "{none}");
        }
    }

    #[test]
    fn settings_are_compared_in_the_same_form() {
        let hosts = PlatformHosts::new(&Addresses {
            base_domain: "Bücher.Example.".to_owned(),
            platform_hosts: vec!["Portal.BÜCHER.example.".to_owned(), String::new()],
            api_public_url: Some("https://API.bücher.example./v1".parse().unwrap()),
            pages_public_url: Some("http://[::1]:8000".parse().unwrap()),
        });
        assert!(hosts.reserve("portal") && hosts.reserve("api") && !hosts.reserve("acme"));
        let acme: Host = "acme.bücher.example".parse().unwrap();
        assert_eq!(hosts.role(&acme), HostRole::Subdomain("acme"));
        let base: Host = "xn--bcher-kva.example".parse().unwrap();
        assert_eq!(hosts.role(&base), HostRole::Platform);
        assert_eq!(
            hosts.role_of_name("evilxn--bcher-kva.example"),
            HostRole::Other("evilxn--bcher-kva.example")
        );
    }
}
