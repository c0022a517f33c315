//! What a client says of itself when it is registered (RFC 7591 section 2).

use serde::{Deserialize, Serialize};
use service::label;
use utoipa::ToSchema;

use super::redirect_uri;
use crate::{
    cors::origin_of,
    error::{Code, OAuthError},
    oauth::grants::Grant,
    scope::Scopes,
};

const MOST_URIS: usize = 20;

/// Client metadata as it is sent.
#[derive(Deserialize, Serialize, ToSchema)]
#[schema(example = json!(
    {"client_name": "Dashboard", "grant_types": ["client_credentials"], "scope": "read write"}
))]
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
    #[schema(value_type = Option<Vec<String>>)]
    redirect_uris: Option<Uris>,
    /// Scopes, separated by spaces; default `openid profile email`.
    #[serde(default)]
    scope: Option<String>,
    /// `client_secret_basic` (default), `client_secret_post`, or `none` for a public client.
    #[serde(default)]
    token_endpoint_auth_method: Option<String>,
    /// Origins whose pages may call the API for this client, such as `https://app.example.com`;
    /// default: those of the redirect URIs.
    #[serde(default)]
    allowed_origins: Option<Vec<String>>,
}

/// Redirect URIs, or what was sent in place of a list of them: RFC 7591 has an error of its own for
/// that.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Uris {
    List(Vec<String>),
    Other(serde_json::Value),
}

/// Metadata that make sense.
pub(super) struct Checked {
    pub(super) client_name: String,
    pub(super) grant_types: Vec<String>,
    pub(super) redirect_uris: Vec<String>,
    pub(super) scope: Scopes,
    pub(super) auth_method: String,
    pub(super) allowed_origins: Option<Vec<String>>,
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
        let redirect_uris = match self.redirect_uris {
            None => Vec::new(),
            Some(Uris::List(list)) => list,
            Some(Uris::Other(_)) => return Err(bad_uri("redirect_uris must be a list of texts")),
        };
        if grants.contains(&Grant::AuthorizationCode) && redirect_uris.is_empty() {
            return Err(bad("authorization_code needs redirect_uris"));
        }
        if redirect_uris.len() > MOST_URIS {
            return Err(bad("too many redirect_uris"));
        }
        for uri in &redirect_uris {
            redirect_uri::check(uri).map_err(|why| bad_uri(format!("a redirect URI {why}")))?;
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
            allowed_origins: self.allowed_origins.map(origins).transpose()?,
        })
    }
}

fn bad(description: impl Into<String>) -> OAuthError {
    OAuthError::new(Code::InvalidClientMetadata, description)
}

fn bad_uri(description: impl Into<String>) -> OAuthError {
    OAuthError::new(Code::InvalidRedirectUri, description)
}

/// Each as browsers send it, so that it can be compared: `https`, but for loopback.
fn origins(origins: Vec<String>) -> Result<Vec<String>, OAuthError> {
    let is_origin =
        |text: &String| origin_of(text).as_ref() == Some(text) && redirect_uri::check(text).is_ok();
    if origins.len() > MOST_URIS || !origins.iter().all(is_origin) {
        let text = "allowed_origins must be at most 20 origins such as https://app.example.com";
        return Err(bad(text));
    }
    Ok(origins)
}

fn name(name: Option<String>) -> Result<String, OAuthError> {
    let name = name.ok_or_else(|| bad("client_name is required"))?;
    label(&name, 100).map_err(|fault| bad(format!("client_name {fault}")))
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

    #[test]
    fn what_is_no_list_of_uris_is_a_bad_redirect_uri() {
        for uris in [
            json!("https://a.example"),
            json!({}),
            json!([1]),
            json!(["x"]),
        ] {
            let metadata = json!({"client_name": "a", "redirect_uris": uris});
            assert_eq!(
                check(metadata).err(),
                Some(Code::InvalidRedirectUri),
                "{uris}"
            );
        }
    }

    #[test]
    fn allowed_origins_are_kept_as_browsers_send_them() {
        let of = |origins: Value| {
            check(json!({"client_name": "a", "grant_types": ["password"],
                         "allowed_origins": origins}))
        };
        let good = ["https://app.example", "http://localhost:3000"];
        assert_eq!(of(json!(good)).ok().unwrap().allowed_origins.unwrap(), good);
        assert_eq!(of(json!(null)).ok().unwrap().allowed_origins, None);
        for bad in [
            "https://app.example/",
            "https://APP.example",
            "https://app.example:443",
            "http://app.example",
            "null",
            "*",
            "com.example:/",
            "",
        ] {
            assert_eq!(
                of(json!([bad])).err(),
                Some(Code::InvalidClientMetadata),
                "{bad}"
            );
        }
    }
}
