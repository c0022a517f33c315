//! The table of hosts that every part is held to: what the data plane serves, the pages show,
//! sign-up and claims refuse, and nginx counts by is decided by one rule.

use service::settings::Addresses;

/// Whose a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The platform's.
    Platform,
    /// That of the tenant with this slug.
    Slug(&'static str),
    /// Anybody's who proves it: the name in canonical form.
    Domain(&'static str),
    /// Nobody's, ever.
    Nobody,
}

/// The settings that the table is for, by variable.
pub const SETTINGS: [(&str, &str); 4] = [
    ("BASE_DOMAIN", "Tenants.Example."),
    (
        "PLATFORM_HOSTS",
        "portal.tenants.example, Status.Example.org.",
    ),
    ("API_PUBLIC_URL", "https://Gate.tenants.example:8443/v1"),
    ("PAGES_PUBLIC_URL", "https://pages.example.net"),
];

/// The table.
pub const TABLE: &[(&str, Whose)] = &[
    ("tenants.example", Whose::Platform),
    ("TENANTS.example.", Whose::Platform),
    ("portal.tenants.example", Whose::Platform),
    ("gate.tenants.example", Whose::Platform),
    ("GATE.Tenants.Example.", Whose::Platform),
    ("pages.example.net", Whose::Platform),
    ("status.example.org", Whose::Platform),
    ("STATUS.example.org.", Whose::Platform),
    ("127.0.0.1", Whose::Platform),
    ("127.0.0.1.", Whose::Platform),
    ("127.1", Whose::Platform),
    ("0x7f.1", Whose::Platform),
    ("2130706433", Whose::Platform),
    ("[::1]", Whose::Platform),
    ("[0:0:0:0:0:0:0:1]", Whose::Platform),
    ("acme.tenants.example", Whose::Slug("acme")),
    ("ACME.Tenants.Example.", Whose::Slug("acme")),
    ("app.acme.example", Whose::Domain("app.acme.example")),
    ("WWW.Acme.Example.", Whose::Domain("www.acme.example")),
    (
        "XN--BCHER-KVA.example",
        Whose::Domain("xn--bcher-kva.example"),
    ),
    ("eviltenants.example", Whose::Domain("eviltenants.example")),
    ("portal.example", Whose::Domain("portal.example")),
    (
        "api.pages.example.net",
        Whose::Domain("api.pages.example.net"),
    ),
    (
        "tenants.example.evil.example",
        Whose::Domain("tenants.example.evil.example"),
    ),
    ("a.portal.tenants.example", Whose::Nobody),
    ("ab.tenants.example", Whose::Nobody),
    ("www.tenants.example", Whose::Nobody),
    ("a_b.example", Whose::Nobody),
    ("intranet", Whose::Nobody),
];

/// The addresses that [`SETTINGS`] make.
#[must_use]
pub fn addresses() -> Addresses {
    let [base, further, api, pages] = SETTINGS.map(|(_, value)| value);
    Addresses {
        base_domain: base.to_owned(),
        platform_hosts: further
            .split(',')
            .map(|host| host.trim().to_owned())
            .collect(),
        api_public_url: Some(api.parse().unwrap()),
        pages_public_url: Some(pages.parse().unwrap()),
    }
}
