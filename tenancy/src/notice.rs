//! Change notices: what a process keeps in memory and must drop, as PostgreSQL's NOTIFY carries it.
//!
//! A notice is published by the transaction that makes the change
//! ([`Transaction::publish`](crate::db::Transaction::publish), the registry's triggers), so that it
//! is heard if and only if the change was committed.

use std::{fmt, str::FromStr};

use uuid::Uuid;

use crate::names::TenantId;

/// The channel on which the registry's triggers publish which tenant changed.
pub const TENANTS: &str = "tenantry_tenants";
/// The channel on which revocations are published.
pub const REVOKED: &str = "tenantry_revoked";

/// Something changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeNotice {
    /// A tenant's row, or one of its domains.
    Tenant(TenantId),
    /// Something within a tenant is no longer valid.
    Revoked(TenantId, Revocation),
    /// Notices may have been missed, or concern every tenant: drop everything.
    Everything,
}

/// What is no longer valid within a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Revocation {
    /// One access token, by the SHA-256 digest of its text.
    Token([u8; 32]),
    /// All tokens of an authorization.
    Authorization(Uuid),
    /// A session.
    Session(Uuid),
    /// Every session and token of a user.
    User(Uuid),
    /// A client, and every token issued to it.
    Client(String),
}

impl ChangeNotice {
    /// Reads a notification. One that cannot be read may concern anything.
    pub(crate) fn read(channel: &str, payload: &str) -> Self {
        let (id, rest) = payload.split_once(' ').unwrap_or((payload, ""));
        match (channel, id.parse::<Uuid>(), rest.parse()) {
            (TENANTS, Ok(id), _) => Self::Tenant(TenantId::new(id)),
            (REVOKED, Ok(id), Ok(revocation)) => Self::Revoked(TenantId::new(id), revocation),
            _ => Self::Everything,
        }
    }
}

impl fmt::Display for Revocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(digest) => {
                formatter.write_str("token ")?;
                digest
                    .iter()
                    .try_for_each(|byte| write!(formatter, "{byte:02x}"))
            }
            Self::Authorization(id) => write!(formatter, "authorization {id}"),
            Self::Session(id) => write!(formatter, "session {id}"),
            Self::User(id) => write!(formatter, "user {id}"),
            Self::Client(id) => write!(formatter, "client {id}"),
        }
    }
}

impl FromStr for Revocation {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (kind, value) = text.split_once(' ').ok_or(())?;
        let id = || value.parse::<Uuid>().map_err(|_| ());
        match kind {
            "token" => digest(value).map(Self::Token).ok_or(()),
            "authorization" => id().map(Self::Authorization),
            "session" => id().map(Self::Session),
            "user" => id().map(Self::User),
            "client" => Ok(Self::Client(value.to_owned())),
            _ => Err(()),
        }
    }
}

fn digest(hex: &str) -> Option<[u8; 32]> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    #[test]
    fn a_revocation_is_read_as_it_was_written() {
        let id = ID.parse().unwrap();
        for revocation in [
            Revocation::Token([0xa7; 32]),
            Revocation::Authorization(id),
            Revocation::Session(id),
            Revocation::User(id),
            Revocation::Client("tnt_client_x".to_owned()),
        ] {
            assert_eq!(revocation.to_string().parse(), Ok(revocation));
        }
        for odd in ["", "token", "token xyz", "token é", "user 1", "nothing x"] {
            assert_eq!(odd.parse::<Revocation>(), Err(()), "{odd}");
        }
    }

    #[test]
    fn a_notice_that_cannot_be_read_concerns_everything() {
        let tenant: TenantId = ID.parse().unwrap();
        assert_eq!(
            ChangeNotice::read(TENANTS, ID),
            ChangeNotice::Tenant(tenant)
        );
        let revoked = ChangeNotice::read(REVOKED, &format!("{ID} user {ID}"));
        let user = Revocation::User(ID.parse().unwrap());
        assert_eq!(revoked, ChangeNotice::Revoked(tenant, user));
        for odd in ["", "*", "x y", &format!("{ID} nothing x")] {
            assert_eq!(ChangeNotice::read(REVOKED, odd), ChangeNotice::Everything);
        }
    }
}
