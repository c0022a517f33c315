//! The grants of the token endpoint.

use std::sync::Arc;

use secrecy::SecretString;
use service::{Digest, request::ClientNetwork};
use tenancy::{Tenant, TenantDb};
use uuid::Uuid;

use super::{
    issue::{self, Refreshed, Subject, TokenResponse},
    login,
    token::TokenRequest,
};
use crate::{
    app::App,
    attempts::Source,
    error::{Code, Error, OAuthError},
    scope::Scopes,
    store::{authorizations, clients::Client, tokens, users::Role},
};

/// A way to get a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
    Password,
}

impl Grant {
    const ALL: [Self; 4] = [
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::ClientCredentials,
        Self::Password,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::Password => "password",
        }
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == text)
    }

    /// Whether only a client that can keep a secret may use it.
    pub(crate) fn needs_secret(self) -> bool {
        matches!(self, Self::ClientCredentials | Self::Password)
    }
}

/// A client's request for a token, the client proven.
pub(super) struct TokenExchange<'a> {
    pub(super) app: &'a App,
    pub(super) db: &'a TenantDb,
    pub(super) tenant: &'a Tenant,
    pub(super) client: Arc<Client>,
    pub(super) from: ClientNetwork,
}

impl TokenExchange<'_> {
    /// Whether this client may use a grant here.
    pub(super) fn may_use(&self, grant: Grant) -> Result<(), OAuthError> {
        if !self.client.may_use(grant.as_str()) {
            let text = format!("The client is not registered for {}.", grant.as_str());
            return Err(OAuthError::new(Code::UnauthorizedClient, text));
        }
        if self
            .tenant
            .settings
            .forbidden_grants
            .contains(grant.as_str())
        {
            let text = format!("This tenant does not allow {}.", grant.as_str());
            return Err(OAuthError::new(Code::UnauthorizedClient, text));
        }
        Ok(())
    }

    /// RFC 6749 section 4.4: the client acts for itself.
    pub(super) async fn client_credentials(
        &self,
        request: &TokenRequest,
    ) -> Result<TokenResponse, OAuthError> {
        let asked = self
            .asked(request)?
            .unwrap_or_else(|| self.client.scope.clone());
        // What is a user's alone is left out: nobody is signed in.
        let users_own = ["admin", "openid", "offline_access"];
        let scope = users_own.into_iter().fold(asked, Scopes::without);
        let subject = Subject {
            holder: None,
            scope,
        };
        issue::access_only(self, subject).await
    }

    /// RFC 6749 section 4.3: the client hands in its user's password.
    pub(super) async fn password(
        &self,
        request: TokenRequest,
    ) -> Result<TokenResponse, OAuthError> {
        let asked = self
            .asked(&request)?
            .unwrap_or_else(|| self.client.scope.clone());
        let missing = || OAuthError::new(Code::InvalidRequest, "username and password are needed.");
        let name = request.username.ok_or_else(missing)?;
        let password: SecretString = request.password.ok_or_else(missing)?;
        self.app.rates.login(self.tenant.id, &name, self.from)?;
        let source = Source::Client(self.from, &self.client.id);
        let checked = login::check(self.app, self.db, source, &name, &password).await?;
        let checked = checked.ok_or_else(wrong_password)?;
        let subject = Subject {
            scope: within(asked, checked.user.role),
            holder: Some(checked.holder),
        };
        let issued = issue::with_refresh(self, subject).await?;
        issued.ok_or_else(wrong_password)
    }

    /// RFC 6749 section 6, rotating: each refresh token works once, and a second use means that
    /// somebody has a copy, so that whatever came of the same authorization is revoked (RFC 9700
    /// section 4.14.2).
    pub(super) async fn refresh(
        &self,
        request: &TokenRequest,
    ) -> Result<TokenResponse, OAuthError> {
        let text = request
            .refresh_token
            .as_deref()
            .ok_or_else(|| OAuthError::new(Code::InvalidRequest, "refresh_token is needed."))?;
        let (digest, now) = (Digest::of(text), self.app.clock.now());
        let found = tokens::refresh(self.db, &digest, now)
            .await?
            .ok_or_else(invalid_refresh_token)?;
        let principal = &found.principal;
        if principal.client.as_deref() != Some(self.client.id.as_str()) {
            return Err(invalid_refresh_token());
        }
        let (Some(authorization), Some(user)) = (principal.authorization, &principal.user) else {
            return Err(invalid_refresh_token());
        };
        if found.used {
            return Err(self.replayed(authorization).await?);
        }
        let granted = found.principal.granted.clone();
        let asked = self.narrowed(request, &granted)?;
        let subject = Refreshed {
            authorization,
            user: user.id,
            scope: within(asked, user.role),
            granted,
        };
        match issue::rotate(self, &digest, subject).await? {
            Some(response) => Ok(response),
            // Used by somebody else at the same moment, or its right ended meanwhile.
            None => Err(self.replayed(authorization).await?),
        }
    }

    /// Revokes an authorization of which a refresh token came twice.
    async fn replayed(&self, authorization: Uuid) -> Result<OAuthError, Error> {
        tracing::warn!(tenant = %self.tenant.slug, client = %self.client.id, "a refresh token came twice");
        authorizations::revoke(self.db, authorization, self.app.clock.now()).await?;
        Ok(invalid_refresh_token())
    }

    /// The scopes that a request asks for, all of which the client may have.
    fn asked(&self, request: &TokenRequest) -> Result<Option<Scopes>, OAuthError> {
        let Some(text) = request
            .scope
            .as_deref()
            .filter(|text| !text.trim().is_empty())
        else {
            return Ok(None);
        };
        self.parse(text, &self.client.scope).map(Some)
    }

    /// The same, but within what was granted before.
    fn narrowed(&self, request: &TokenRequest, granted: &Scopes) -> Result<Scopes, OAuthError> {
        match request
            .scope
            .as_deref()
            .filter(|text| !text.trim().is_empty())
        {
            Some(text) => self.parse(text, granted),
            None => Ok(granted.clone()),
        }
    }

    fn parse(&self, text: &str, allowed: &Scopes) -> Result<Scopes, OAuthError> {
        let refused = |text: String| OAuthError::new(Code::InvalidScope, text);
        let asked = Scopes::parse(text).map_err(|bad| refused(format!("Unknown scope {bad}.")))?;
        if asked.is_subset(allowed) {
            Ok(asked)
        } else {
            Err(refused(format!(
                "This may be asked for: {}.",
                allowed.join()
            )))
        }
    }
}

/// `admin` is granted to those who administer the tenant.
fn within(scope: Scopes, role: Role) -> Scopes {
    if role.administers() {
        scope
    } else {
        scope.without("admin")
    }
}

fn wrong_password() -> OAuthError {
    OAuthError::new(Code::InvalidGrant, "Incorrect username or password.")
}

fn invalid_refresh_token() -> OAuthError {
    OAuthError::new(
        Code::InvalidGrant,
        "The refresh token is invalid, expired or revoked.",
    )
}
