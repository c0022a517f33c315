//! Scopes (RFC 6749 section 3.3), and the markers that handlers ask for.

use serde::{Serialize, Serializer};

/// What a client may ask for.
pub(crate) const KNOWN: &[&str] = &[
    "openid",
    "profile",
    "email",
    "offline_access",
    "read",
    "write",
    "admin",
];

/// A set of scopes, in the order of [`KNOWN`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scopes(Vec<&'static str>);

impl Scopes {
    /// Reads a space-separated list.
    ///
    /// # Errors
    /// The first scope that is unknown.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut asked: Vec<&str> = text.split(' ').filter(|scope| !scope.is_empty()).collect();
        if let Some(unknown) = asked.iter().find(|scope| !KNOWN.contains(scope)) {
            return Err((*unknown).chars().take(50).collect());
        }
        asked.sort_unstable();
        Ok(Self(
            KNOWN
                .iter()
                .copied()
                .filter(|known| asked.contains(known))
                .collect(),
        ))
    }

    /// What the database holds. A scope that is no longer known grants nothing.
    pub(crate) fn stored(scopes: &[String]) -> Self {
        Self(
            KNOWN
                .iter()
                .copied()
                .filter(|known| scopes.iter().any(|s| s == known))
                .collect(),
        )
    }

    pub(crate) fn holds(&self, scope: &str) -> bool {
        self.0.contains(&scope)
    }

    pub(crate) fn is_subset(&self, of: &Self) -> bool {
        self.0.iter().all(|scope| of.holds(scope))
    }

    pub(crate) fn without(mut self, scope: &str) -> Self {
        self.0.retain(|held| *held != scope);
        self
    }

    /// As a `text[]` parameter.
    pub(crate) fn as_slice(&self) -> &[&'static str] {
        &self.0
    }

    /// As the wire has it.
    pub(crate) fn join(&self) -> String {
        self.0.join(" ")
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.join())
    }
}

/// A scope that a handler asks for by type.
pub(crate) trait Needs: Send + Sync + 'static {
    /// The scope; `None` when any valid token will do.
    const SCOPE: Option<&'static str>;
}

macro_rules! markers {
    ($($(#[$doc:meta])* $name:ident = $scope:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;
        impl Needs for $name {
            const SCOPE: Option<&'static str> = $scope;
        }
    )*};
}

markers! {
    /// Any valid token.
    Any = None;
    /// Scope `openid`.
    OpenId = Some("openid");
    /// Scope `profile`.
    Profile = Some("profile");
    /// Scope `read`.
    Read = Some("read");
    /// Scope `write`.
    Write = Some("write");
    /// Scope `admin`, which only admins and owners hold.
    AdminScope = Some("admin");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_a_set_of_known_words() {
        let scopes = Scopes::parse("write  read read").unwrap();
        assert_eq!(scopes.join(), "read write");
        assert!(scopes.is_subset(&Scopes::parse("read write admin").unwrap()));
        assert!(!scopes.without("read").holds("read"));
        assert_eq!(Scopes::parse("").unwrap(), Scopes::default());
        for bad in ["everything", "read\twrite", "Read", "read,write", "read\0"] {
            assert!(Scopes::parse(bad).is_err(), "{bad:?}");
        }
    }
}
