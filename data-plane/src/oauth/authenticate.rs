//! Which client asks, and whether it proved so (RFC 6749 section 2.3).
//!
//! A client with a secret may send it by HTTP Basic or in the body, but not both at once; one
//! without names itself in the body, or by Basic with an empty secret.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, header};
use secrecy::{ExposeSecret, SecretString};
use service::{Digest, body::form};

use crate::{
    app::App,
    error::{Code, OAuthError},
    resolve::{InTenant, Uncounted},
    store::clients::{self, Client},
};

/// How a client names itself, and its proof.
struct Claim {
    id: String,
    secret: Option<SecretString>,
}

/// The client that sent a request, and the tenant, at which the request is counted now: against its
/// plan when the client proved itself by a secret, else as a stranger's.
///
/// # Errors
/// `invalid_client` for all that is wrong with id or secret alike; `invalid_request` when the
/// client authenticates twice; 429.
pub(super) async fn client(
    app: &App,
    request: Uncounted,
    headers: &HeaderMap,
    id: Option<String>,
    secret: Option<SecretString>,
) -> Result<(InTenant, Arc<Client>), OAuthError> {
    let found = match claim(headers, id, secret) {
        Ok(claim) => prove(app, &request, &claim).await,
        Err(unclear) => Err(unclear),
    };
    let known = found.as_ref().is_ok_and(|client| client.secret.is_some());
    Ok((request.count(app, known)?, found?))
}

async fn prove(app: &App, request: &Uncounted, claim: &Claim) -> Result<Arc<Client>, OAuthError> {
    if claim.id.len() > 200 {
        return Err(invalid());
    }
    let load = async {
        request.look_up(app)?;
        clients::by_id(request.db(), &claim.id).await
    };
    let client = app
        .clients
        .find(request.db().tenant().id, &claim.id, load)
        .await?
        .ok_or_else(invalid)?;
    let proven = match (&client.secret, &claim.secret) {
        (Some(kept), Some(sent)) => kept.matches(&Digest::of(sent.expose_secret())),
        (None, None) => true,
        _ => false,
    };
    if proven { Ok(client) } else { Err(invalid()) }
}

fn invalid() -> OAuthError {
    OAuthError::new(
        Code::InvalidClient,
        "Unknown client or incorrect client secret.",
    )
}

fn claim(
    headers: &HeaderMap,
    id: Option<String>,
    secret: Option<SecretString>,
) -> Result<Claim, OAuthError> {
    let twice = || {
        OAuthError::new(
            Code::InvalidRequest,
            "Authenticate the client in one way only.",
        )
    };
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (Some(_), Some(_)) => Err(twice()),
        (Some(value), None) => {
            let basic = basic(value.as_bytes()).ok_or_else(invalid)?;
            if secret.is_some() || id.is_some_and(|id| id != basic.id) {
                return Err(twice());
            }
            Ok(basic)
        }
        (None, _) => match id {
            Some(id) => Ok(Claim { id, secret }),
            None => Err(invalid()),
        },
    }
}

/// Id and secret are form-encoded within Basic (RFC 6749 section 2.3.1).
fn basic(header: &[u8]) -> Option<Claim> {
    let (scheme, encoded) = header.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let pair = STANDARD.decode(encoded.trim_ascii()).ok()?;
    let colon = pair.iter().position(|b| *b == b':')?;
    let secret = decoded(&pair[colon + 1..])?;
    Some(Claim {
        id: decoded(&pair[..colon])?,
        // As a parameter without a value, it counts as omitted (section 3.2).
        secret: (!secret.is_empty()).then(|| secret.into()),
    })
}

/// One value that was form-encoded, exactly; nobody's id or secret has NUL.
fn decoded(text: &[u8]) -> Option<String> {
    if text.iter().any(|b| b"=&".contains(b)) {
        return None;
    }
    let text = form::decode(text)?;
    (!text.contains('\0')).then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Option<(String, String)> {
        let claim = basic(header.as_bytes())?;
        let secret = claim.secret.as_ref().map(ExposeSecret::expose_secret);
        Some((claim.id, secret.unwrap_or_default().to_owned()))
    }

    #[test]
    fn basic_is_form_encoded_within() {
        let pair = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        let encode = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(read(&encode("id:secret")), pair("id", "secret"));
        assert_eq!(read(&encode("a%3Ab:c%25d")), pair("a:b", "c%d"));
        assert_eq!(read(&encode("id:")), pair("id", ""));
        for odd in [
            "",
            "Basic",
            "Basic ???",
            "Bearer x",
            &encode("no colon"),
            &encode("a=b:c"),
            &encode("a&b:c"),
            &encode("a%zz:c"),
            &encode("a:%ff"),
            &encode("a%00:c"),
            &encode("a:cd").replace('=', ""),
        ] {
            assert_eq!(read(odd), None, "{odd}");
        }
        assert_eq!(
            read(&format!("basic {}", STANDARD.encode([0xff, b':', 0xfe]))),
            None
        );
    }
}
