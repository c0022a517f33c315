//! What a tenant's owner decides: kept in the registry, so that every request knows it without
//! asking the tenant's schema.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A tenant's settings. What is absent has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TenantSettings {
    /// Who may register as a user.
    pub registration: Registration,
    /// Whether the public list of tenants names this one.
    pub listed: bool,
    /// How the tenant's pages look.
    pub branding: Branding,
    /// What a new password needs.
    pub password_policy: PasswordPolicy,
    /// How long sessions last.
    pub session_policy: SessionPolicy,
    /// How long tokens last.
    pub token_policy: TokenPolicy,
    /// Grants that the tenant forbids, by their RFC 6749 names.
    pub forbidden_grants: BTreeSet<String>,
}

/// Who may register as a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Anyone.
    #[default]
    Open,
    /// Whoever was invited.
    Invite,
    /// Nobody; administrators create users.
    Closed,
}

impl Registration {
    /// The wire's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Invite => "invite",
            Self::Closed => "closed",
        }
    }
}

/// How the tenant's pages look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Branding {
    /// Accent colour as `#rrggbb`.
    pub accent_color: Option<String>,
    /// An `https` address of the logo, at most 500 characters.
    pub logo_url: Option<String>,
}

/// What a new password needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PasswordPolicy {
    /// Least number of characters, 8 to 128.
    pub min_length: u16,
    /// Least score by zxcvbn, 1 to 4; 0 asks for none.
    pub min_score: u8,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            min_length: 8,
            min_score: 0,
        }
    }
}

/// How long sessions last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionPolicy {
    /// Seconds from sign-in, 300 to 7,776,000 (90 days).
    pub lifetime_seconds: u32,
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self {
            lifetime_seconds: 12 * 3600,
        }
    }
}

/// How long tokens last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenPolicy {
    /// Seconds of an access token, 60 to 86,400.
    pub access_seconds: u32,
    /// Seconds of a refresh token, 3,600 to 31,536,000 (one year).
    pub refresh_seconds: u32,
}

impl Default for TokenPolicy {
    fn default() -> Self {
        Self {
            access_seconds: 3600,
            refresh_seconds: 30 * 86400,
        }
    }
}

/// The most bytes that a settings document may have, as JSON.
pub const MAX_BYTES: usize = 8 * 1024;

impl TenantSettings {
    /// How many bytes its texts take in memory, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let texts = [&self.branding.accent_color, &self.branding.logo_url];
        let texts = texts.into_iter().flatten().map(String::len);
        let grants = self.forbidden_grants.iter().map(|grant| grant.len() + 24);
        texts.chain(grants).sum()
    }

    /// Faults by field, for a settings document that an owner sent. What a URL or the name of a
    /// grant may be, the data plane knows.
    #[must_use]
    pub fn faults(&self) -> Vec<(&'static str, &'static str)> {
        let color = |text: &String| {
            text.strip_prefix('#')
                .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
        };
        let checks = [
            (
                self.branding.accent_color.as_ref().is_none_or(color),
                "branding.accent_color",
                "must be a colour such as #3a5bd9",
            ),
            (
                (8..=128).contains(&self.password_policy.min_length),
                "password_policy.min_length",
                "must be 8 to 128",
            ),
            (
                self.password_policy.min_score <= 4,
                "password_policy.min_score",
                "must be 0 to 4",
            ),
            (
                (300..=7_776_000).contains(&self.session_policy.lifetime_seconds),
                "session_policy.lifetime_seconds",
                "must be 300 to 7776000",
            ),
            (
                (60..=86_400).contains(&self.token_policy.access_seconds),
                "token_policy.access_seconds",
                "must be 60 to 86400",
            ),
            (
                (3600..=31_536_000).contains(&self.token_policy.refresh_seconds),
                "token_policy.refresh_seconds",
                "must be 3600 to 31536000",
            ),
            (
                self.bytes() <= MAX_BYTES,
                "settings",
                "must have 8 KiB at the most",
            ),
        ];
        let failed = checks.into_iter().filter(|(fine, ..)| !fine);
        failed.map(|(_, field, fault)| (field, fault)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_have_no_faults_and_extremes_do() {
        assert!(TenantSettings::default().faults().is_empty());
        let bad: TenantSettings = serde_json::from_str(
            r#"{"branding":{"accent_color":"red"},
                "password_policy":{"min_length":1,"min_score":5},"session_policy":{"lifetime_seconds":0},
                "token_policy":{"access_seconds":0,"refresh_seconds":0}}"#,
        )
        .unwrap();
        assert_eq!(bad.faults().len(), 6);
    }

    #[test]
    fn settings_of_a_later_version_are_still_read() {
        let read: TenantSettings =
            serde_json::from_str(r#"{"listed":true,"something_new":{"a":1}}"#).unwrap();
        assert!(read.listed);
    }
}
