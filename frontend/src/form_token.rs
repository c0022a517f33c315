//! Proof that a posted form is one of ours: a double-submitted token and the browser's word on
//! where the request comes from.
//!
//! The cookie holds a random value, the form its digest, so that a page alone (kept in a cache,
//! guessed through compression) does not give the cookie away. A sibling subdomain that plants a
//! cookie of its own is stopped by the origin check, and under TLS by the `__Host-` prefix. No
//! state is kept and no key shared: any process can check another's form.

use axum::extract::{FromRequest, FromRequestParts, Request};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderValue;
use serde::{Deserialize, de::DeserializeOwned};
use service::{Digest, Entropy, Form, Kind, Problem, origin};

use crate::{site::Site, visitor::Visitor};

/// The token of one browser on one host.
pub(crate) struct FormToken {
    value: String,
    fresh: bool,
}

impl FormToken {
    /// The cookie that holds the value, before any prefix.
    pub(crate) const COOKIE: &'static str = "tenantry_form";

    /// The token that the browser presents, or a fresh one in place of none or of nonsense.
    pub(crate) fn of(presented: Option<&str>, entropy: &Entropy) -> Self {
        let sound = |value: &&str| {
            URL_SAFE_NO_PAD
                .decode(value.as_bytes())
                .is_ok_and(|bytes| bytes.len() == 32)
        };
        presented.filter(sound).map_or_else(
            || Self {
                value: URL_SAFE_NO_PAD.encode(entropy.bytes::<32>()),
                fresh: true,
            },
            |value| Self {
                value: value.to_owned(),
                fresh: false,
            },
        )
    }

    /// What the form's hidden field holds.
    pub(crate) fn field(&self) -> String {
        URL_SAFE_NO_PAD.encode(Digest::of(&self.value).as_bytes())
    }

    /// The cookie to set, if the browser does not have it yet. `Lax`, as `Strict` would be absent
    /// when somebody follows a link to us, and its replacement would spoil forms open elsewhere.
    pub(crate) fn set_cookie(&self, site: &Site) -> Option<HeaderValue> {
        let name = site.cookie_name(Self::COOKIE);
        let secure = if site.addresses.secure() {
            "; Secure"
        } else {
            ""
        };
        let cookie = format!(
            "{name}={}; Path=/; HttpOnly; SameSite=Lax{secure}",
            self.value
        );
        if self.fresh {
            cookie.parse().ok()
        } else {
            None
        }
    }

    /// Whether a form's field belongs to the cookie that came along.
    fn proven_by(&self, field: &str) -> bool {
        let presented = URL_SAFE_NO_PAD.decode(field).ok();
        let presented = presented.and_then(|bytes| Digest::from_bytes(&bytes));
        !self.fresh && presented.is_some_and(|digest| digest.matches(&Digest::of(&self.value)))
    }
}

/// A posted form that carries its proof; anything else is refused before a handler sees it.
pub(crate) struct Posted<T>(pub(crate) T);

#[derive(Deserialize)]
struct Proven<T> {
    #[serde(default)]
    form_token: String,
    #[serde(flatten)]
    form: T,
}

impl<T: DeserializeOwned> FromRequest<Site> for Posted<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, site: &Site) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, site).await?;
        let foreign = || Problem::new(Kind::CrossSite);
        let host = visitor.host.to_str().map_err(|_| foreign())?;
        origin::require_same_host(&parts.headers, host)?;
        let request = Request::from_parts(parts, body);
        let Form(proven) = Form::<Proven<T>>::from_request(request, site).await?;
        if visitor.form_token.proven_by(&proven.form_token) {
            Ok(Self(proven.form))
        } else {
            Err(foreign())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_proves_its_own_cookie_only() {
        let entropy = Entropy::seeded(1);
        let (mine, other) = (FormToken::of(None, &entropy), FormToken::of(None, &entropy));
        let returned = FormToken::of(Some(&mine.value), &entropy);
        assert!(returned.proven_by(&mine.field()));
        assert!(!returned.proven_by(&other.field()));
        assert!(!returned.proven_by(&mine.value));
        assert!(!returned.proven_by(""));
    }

    #[test]
    fn without_a_cookie_nothing_is_proven() {
        let token = FormToken::of(Some("short"), &Entropy::seeded(1));
        assert!(token.fresh);
        assert!(!token.proven_by(&token.field()));
    }
}
