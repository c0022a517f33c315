//! What each kind of problem means and what to do about it: the text of `/problems/{kind}`.
//!
//! The match is exhaustive, so that a new kind does not compile without its explanation.

use crate::problem::Kind;

/// A kind of problem, for the developer who meets it.
#[derive(Clone, Copy, Debug)]
pub struct Explanation {
    /// What it means.
    pub meaning: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

impl Kind {
    /// What this kind means, and what to do about it.
    #[must_use]
    pub fn explanation(self) -> Explanation {
        let (meaning, remedy) = texts(self);
        Explanation { meaning, remedy }
    }
}

fn texts(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::MalformedRequest => (
            "The request could not be read: the JSON or form is broken, a header or parameter has \
             the wrong shape, or the body is missing.",
            "Read detail, correct the request and send it again. Repeating it unchanged fails \
             again.",
        ),
        Kind::TenantRequired => (
            "This endpoint belongs to a tenant, and the request does not name one.",
            "Use the tenant's own host, send X-Tenant-Slug or X-Tenant-ID, or put \
             /tenants/{slug} before the path.",
        ),
        Kind::TenantMismatch => (
            "The host, the headers and the path name different tenants.",
            "Name the tenant once, or make sure that every way you use names the same one.",
        ),
        Kind::Unauthorized => (
            "There is no session, token or client secret in the request, or it is wrong, expired, \
             revoked or belongs to another tenant.",
            "Sign in or get a new token, and send it to the tenant that issued it.",
        ),
        Kind::Forbidden => (
            "You are known, but your role does not allow this.",
            "Ask an administrator or owner of the tenant to do it, or to change your role.",
        ),
        Kind::InsufficientScope => (
            "The access token is valid, but was not granted the scope that this endpoint needs.",
            "Request a token with the scope that detail names. The client must be registered for \
             it.",
        ),
        Kind::CrossSite => (
            "A request with a session cookie came from a page of another origin and was refused, \
             because that page may have acted without the user (CSRF).",
            "Call the API from a page of the tenant's own host, or use an access token instead of \
             the cookie. For a form, reload the page and send it again.",
        ),
        Kind::TenantSuspended => (
            "An operator has suspended this tenant. No data has been lost, but nothing is served.",
            "Contact the operator. The tenant works again as soon as it is resumed.",
        ),
        Kind::QuotaExceeded => (
            "The tenant's plan does not allow more of this. The members quota, limit and used say \
             of what, how many are allowed and how many there are.",
            "Delete what is no longer needed, or ask the operator for a larger plan.",
        ),
        Kind::RegistrationClosed => (
            "Nobody can sign up or register here without an invitation at the moment.",
            "Ask an administrator of the tenant to add you, or the operator to create the tenant.",
        ),
        Kind::NotFound => (
            "There is nothing at this path, or what the path names does not exist in this tenant.",
            "Check the path and the id. What belongs to another tenant is reported as missing, \
             too.",
        ),
        Kind::TenantNotFound => (
            "No tenant has this slug, id or domain.",
            "Check the spelling. A domain names its tenant only after it has been verified.",
        ),
        Kind::TenantRenamed => (
            "The tenant has been renamed. Its former slug leads to the new one for a while and is \
             nobody else's meanwhile.",
            "Use the slug in the member tenant_slug from now on.",
        ),
        Kind::MethodNotAllowed => (
            "The path exists, but does not support this HTTP method.",
            "Use one of the methods in the Allow header.",
        ),
        Kind::RequestTimeout => (
            "The request was not received completely in time.",
            "Send it again, over a faster connection or with a smaller body.",
        ),
        Kind::Conflict => (
            "The request contradicts the current state: a name is already taken, or the change \
             would leave the tenant without an owner.",
            "Read detail and errors, choose another value or change the state first.",
        ),
        Kind::BodyTooLarge => (
            "The request body is larger than the 1 MiB that this API accepts.",
            "Send less, or split the request.",
        ),
        Kind::UnsupportedMediaType => (
            "The Content-Type of the body is not one that this endpoint reads.",
            "Send application/json, or application/x-www-form-urlencoded where the description \
             offers it.",
        ),
        Kind::PreconditionFailed => (
            "The resource has changed since you read it: its ETag no longer matches If-Match.",
            "Read it again, apply your change to the new version and send the new ETag.",
        ),
        Kind::InvalidRequest => (
            "A parameter of the OAuth request is missing, given twice or not readable (RFC 6749 \
             section 5.2).",
            "Read error_description, correct the parameter and send the request again.",
        ),
        Kind::InvalidClient => (
            "The client is unknown to this tenant, or its secret or method of authentication is \
             wrong (RFC 6749 section 5.2).",
            "Check client_id, secret and tenant, and authenticate in the way that the client was \
             registered for.",
        ),
        Kind::InvalidGrant => (
            "The password, code or refresh token is wrong, expired, already used or revoked, or \
             belongs to another client (RFC 6749 section 5.2).",
            "Have the user sign in again. Use each refresh token once, and keep the new one that \
             comes with each answer.",
        ),
        Kind::UnauthorizedClient => (
            "The client is known, but not registered for this grant, or the tenant does not allow \
             it (RFC 6749 section 5.2).",
            "Register the client for the grant, or ask the tenant's owner to allow it.",
        ),
        Kind::UnsupportedGrantType => (
            "There is no grant of this name here (RFC 6749 section 5.2).",
            "Use one of the grants that the documentation lists.",
        ),
        Kind::InvalidScope => (
            "A scope is unknown, or more than the client or the user may have (RFC 6749 section \
             5.2).",
            "Request fewer scopes, or register the client for those it needs.",
        ),
        Kind::InvalidClientMetadata => (
            "A client cannot be registered with these values (RFC 7591 section 3.2.2).",
            "Read error_description and correct the field that it names.",
        ),
        Kind::InvalidRedirectUri => (
            "A redirect URI cannot be registered: it is not an exact https address, an http address \
             on loopback or an address of a private scheme (RFC 7591 section 3.2.2).",
            "Register the address exactly as the client uses it, in ASCII, without user or fragment.",
        ),
        Kind::ValidationFailed => (
            "The request could be read, but some fields are not valid. errors lists every fault by \
             field.",
            "Correct the fields in errors and send the request again.",
        ),
        Kind::IdempotencyKeyReused => (
            "This Idempotency-Key was already used with a different request.",
            "Use a new key for a new request, and the same key only to repeat the same request.",
        ),
        Kind::PreconditionRequired => (
            "This change needs an If-Match header, so that it cannot overwrite a change that you \
             have not seen.",
            "Read the resource and send its ETag as If-Match.",
        ),
        Kind::RateLimited => (
            "Too many requests in a short time, for the caller, the account or the plan of the \
             tenant.",
            "Wait for the number of seconds in Retry-After. The RateLimit header fields show how \
             much is left.",
        ),
        Kind::Internal => (
            "An error on our side. It has been logged under request_id.",
            "Try again later. If it happens again, report it together with request_id.",
        ),
        Kind::TenantNotReady => (
            "The tenant is being created, migrated or removed.",
            "Try again after the number of seconds in Retry-After.",
        ),
        Kind::Unavailable => (
            "A part of the service does not respond or has more to do than it can.",
            "Try again after the number of seconds in Retry-After.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_explained_in_sentences_of_its_own() {
        let mut meanings: Vec<_> = Kind::ALL.iter().map(|kind| texts(*kind).0).collect();
        for kind in Kind::ALL {
            let (meaning, remedy) = texts(*kind);
            assert!(meaning.ends_with('.') && remedy.ends_with('.'), "{kind:?}");
        }
        meanings.sort_unstable();
        meanings.dedup();
        assert_eq!(meanings.len(), Kind::ALL.len());
    }
}
