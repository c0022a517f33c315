//! What a client says of itself when it is registered (RFC 7591 section 2).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::redirect_uri;
use crate::{
    error::{Code, OAuthError},
    oauth::grants::Grant,
    scope::Scopes,
};

const MOST_URIS: usize = 20;

/// Client metadata as it is sent.
#[derive(Deserialize, Serialize, ToSchema)]
pub(crate) struct Metadata {
    /// 1 to 100 characters.
    #[serde(default)]
    client_name: Option<String>,
    /// `authorization_code`, `refresh_token`, `client_credentials`, `password`; default
    /// `["authorization_code"]`.
    #[serde(default)]
    grant_types: Option<Vec<String>>,
    /// Needed for `authorization_code`.
    #[serde(default)]
    redirect_uris: Option<Vec<String>>,
    /// Scopes, separated by spaces; default `openid profile email`.
    #[serde(default)]
    scope: Option<String>,
    /// `client_secret_basic` (default), `client_secret_post`, or `none` for a public client.
    #[serde(default)]
    token_endpoint_auth_method: Option<String>,
}

/// Metadata that make sense.
pub(super) struct Checked {
    pub(super) client_name: String,
    pub(super) grant_types: Vec<String>,
    pub(super) redirect_uris: Vec<String>,
    pub(super) scope: Scopes,
    pub(super) auth_method: String,
}

impl Checked {
    pub(super) fn is_confidential(&self) -> bool {
        self.auth_method != "none"
    }
}

impl Metadata {
    pub(super) fn check(self) -> Result<Checked, OAuthError> {
        let auth_method = auth_method(self.token_endpoint_auth_method)?;
        let grants = grants(self.grant_types.as_deref(), &auth_method)?;
        let redirect_uris = self.redirect_uris.unwrap_or_default();
        if grants.contains(&Grant::AuthorizationCode) && redirect_uris.is_empty() {
            return Err(bad("authorization_code needs redirect_uris"));
        }
        if redirect_uris.len() > MOST_URIS {
            return Err(bad("too many redirect_uris"));
        }
        for uri in &redirect_uris {
            redirect_uri::check(uri).map_err(|why| {
                OAuthError::new(Code::InvalidRedirectUri, format!("a redirect URI {why}"))
            })?;
        }
        let scope = Scopes::parse(self.scope.as_deref().unwrap_or("openid profile email"))
            .map_err(|unknown| bad(format!("unknown scope {unknown}")))?;
        Ok(Checked {
            client_name: name(self.client_name)?,
            grant_types: grants
                .iter()
                .map(|grant| grant.as_str().to_owned())
                .collect(),
            redirect_uris,
            scope,
            auth_method,
        })
    }
}

fn bad(description: impl Into<String>) -> OAuthError {
    OAuthError::new(Code::InvalidClientMetadata, description)
}

fn name(name: Option<String>) -> Result<String, OAuthError> {
    let name = name.unwrap_or_default().trim().to_owned();
    let long = !(1..=100).contains(&name.chars().count());
    if long || name.chars().any(char::is_control) {
        return Err(bad("client_name must have 1 to 100 printable characters"));
    }
    Ok(name)
}

fn auth_method(method: Option<String>) -> Result<String, OAuthError> {
    let method = method.unwrap_or_else(|| "client_secret_basic".to_owned());
    match method.as_str() {
        "client_secret_basic" | "client_secret_post" | "none" => Ok(method),
        _ => Err(bad("token_endpoint_auth_method is not supported")),
    }
}

fn grants(types: Option<&[String]>, auth_method: &str) -> Result<Vec<Grant>, OAuthError> {
    let Some(types) = types.filter(|types| !types.is_empty()) else {
        return Ok(vec![Grant::AuthorizationCode]);
    };
    let mut grants = Vec::new();
    for text in types {
        let grant = Grant::read(text).ok_or_else(|| {
            bad(format!(
                "grant type {} is not supported",
                text.chars().take(50).collect::<String>()
            ))
        })?;
        if auth_method == "none" && grant.needs_secret() {
            return Err(bad(format!(
                "{} needs a confidential client",
                grant.as_str()
            )));
        }
        if !grants.contains(&grant) {
            grants.push(grant);
        }
    }
    Ok(grants)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(value: Value) -> Result<Checked, Code> {
        let metadata: Metadata = serde_json::from_value(value).unwrap();
        metadata.check().map_err(|error| match error {
            OAuthError::Coded(code, _) => code,
            OAuthError::Other(_) => unreachable!("metadata are checked without asking anyone"),
        })
    }

    #[test]
    fn what_makes_sense_is_taken() {
        let checked = check(json!({
            "client_name": " app ", "grant_types": ["password", "refresh_token", "password"],
            "scope": "write read",
        }))
        .ok()
        .unwrap();
        assert_eq!(checked.client_name, "app");
        assert_eq!(checked.grant_types, ["password", "refresh_token"]);
        assert_eq!(checked.scope.join(), "read write");
        assert!(checked.is_confidential());
    }

    #[test]
    fn what_makes_none_is_refused() {
        for metadata in [
            json!({}),
            json!({"client_name": ""}),
            json!({"client_name": "x".repeat(101), "grant_types": ["password"]}),
            json!({"client_name": "a\nb", "grant_types": ["password"]}),
            json!({"client_name": "a", "grant_types": ["implicit"]}),
            json!({"client_name": "a", "grant_types": ["authorization_code"]}),
            json!({"client_name": "a", "grant_types": ["password"], "scope": "everything"}),
            json!({"client_name": "a", "grant_types": ["client_credentials"],
                   "token_endpoint_auth_method": "none"}),
            json!({"client_name": "a", "grant_types": ["password"],
                   "token_endpoint_auth_method": "tls_client_auth"}),
        ] {
            assert_eq!(
                check(metadata.clone()).err(),
                Some(Code::InvalidClientMetadata),
                "{metadata}"
            );
        }
    }
}
