//! Who asks, and on which host: read once, from the request's head alone.
//!
//! A visitor is a claim, not a proof. What the planes are told is exactly what the browser said:
//! its host, its cookies of a session and a device and no other, its origin. They decide what that is
//! worth.

use axum::{RequestPartsExt, extract::FromRequestParts};
use http::{HeaderMap, HeaderValue, header, request::Parts};
use service::{
    Kind, Problem,
    header::cookie,
    hosts::{Host, HostRole},
    request::{ClientAddr, current_id},
};

use crate::{form_token::FormToken, site::Site, upstream::Info};

/// The sender of a request.
pub(crate) struct Visitor {
    /// The `Host` header as it came, port included.
    pub(crate) host: HeaderValue,
    /// The same in canonical form.
    named: Host,
    /// Whether that host is the platform's own rather than a tenant's.
    pub(crate) on_platform: bool,
    /// The token that the visitor's forms carry.
    pub(crate) form_token: FormToken,
    /// The planes' cookies, as one header.
    cookies: Option<HeaderValue>,
    origin: Option<HeaderValue>,
    trace: Option<HeaderValue>,
    client: Option<ClientAddr>,
}

/// A visitor on the platform's own host; elsewhere the page does not exist.
pub(crate) struct OnPlatform(pub(crate) Visitor);

/// A visitor on a tenant's host; on the platform's the page does not exist.
pub(crate) struct OnTenant(pub(crate) Visitor);

impl Visitor {
    /// The planes' cookies, before any prefix: of a session, and of a device that has signed in.
    pub(crate) const COOKIES: [&'static str; 2] = ["tenantry_session", "tenantry_device"];

    /// The host that a tenant's facts were got on, which proves it to be the tenant's: links and
    /// redirects are made of no other.
    pub(crate) fn tenant_host(&self, _proof: &Info) -> String {
        self.named.to_string()
    }

    /// The headers under which a plane is asked on the visitor's behalf.
    pub(crate) fn headers(&self) -> HeaderMap {
        let id = current_id().and_then(|id| HeaderValue::from_str(&id).ok());
        let client = self
            .client
            .and_then(|client| client.0.to_string().parse().ok());
        let mut headers = HeaderMap::new();
        let known = [
            (header::HOST, Some(self.host.clone())),
            (header::COOKIE, self.cookies.clone()),
            (header::ORIGIN, self.origin.clone()),
            (
                http::HeaderName::from_static("traceparent"),
                self.trace.clone(),
            ),
            (http::HeaderName::from_static("x-request-id"), id),
            (http::HeaderName::from_static("x-forwarded-for"), client),
        ];
        headers.extend(
            known
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        headers
    }
}

impl FromRequestParts<Site> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        let host = host(parts)?;
        let named = read(&host)?;
        let form = cookie(&parts.headers, &site.cookie_name(FormToken::COOKIE));
        Ok(Self {
            on_platform: site.hosts.role(&named) == HostRole::Platform,
            host,
            named,
            form_token: FormToken::of(form, &site.entropy),
            cookies: planes_cookies(&parts.headers, site),
            origin: parts.headers.get(header::ORIGIN).cloned(),
            trace: parts.headers.get("traceparent").cloned(),
            client: parts.extensions.get::<ClientAddr>().copied(),
        })
    }
}

impl FromRequestParts<Site> for OnPlatform {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        let visitor: Visitor = parts.extract_with_state(site).await?;
        if visitor.on_platform {
            Ok(Self(visitor))
        } else {
            Err(Problem::new(Kind::NotFound))
        }
    }
}

impl FromRequestParts<Site> for OnTenant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        let visitor: Visitor = parts.extract_with_state(site).await?;
        if visitor.on_platform {
            Err(Problem::new(Kind::NotFound))
        } else {
            Ok(Self(visitor))
        }
    }
}

/// The one host that the request names; two are an attempt to have us and a plane disagree.
fn host(parts: &Parts) -> Result<HeaderValue, Problem> {
    let unreadable = || Problem::new(Kind::MalformedRequest).detail("One Host header is needed.");
    let mut named = parts.headers.get_all(header::HOST).iter();
    match (named.next(), named.next(), parts.uri.authority()) {
        (Some(host), None, _) => Ok(host.clone()),
        (None, None, Some(authority)) => authority.as_str().parse().map_err(|_| unreadable()),
        _ => Err(unreadable()),
    }
}

fn read(host: &HeaderValue) -> Result<Host, Problem> {
    let text = host.to_str().unwrap_or_default();
    Host::of_authority(text)
        .map_err(|_| Problem::new(Kind::MalformedRequest).detail("The Host is not a host."))
}

fn planes_cookies(headers: &HeaderMap, site: &Site) -> Option<HeaderValue> {
    let names = Visitor::COOKIES.map(|name| site.cookie_name(name));
    let pairs = names.iter().filter_map(|name| {
        let value = cookie(headers, name)?;
        Some(format!("{name}={value}"))
    });
    let pairs: Vec<String> = pairs.collect();
    pairs.join("; ").parse().ok().filter(|_| !pairs.is_empty())
}
