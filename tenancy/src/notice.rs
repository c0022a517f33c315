//! Change notices: what a process keeps in memory and must drop, as PostgreSQL's NOTIFY carries it.
//!
//! A notice is published by the transaction that makes the change
//! ([`Transaction::publish`](crate::db::Transaction::publish), the registry's triggers), so that it
//! is heard if and only if the change was committed.

use std::{fmt, str::FromStr};

use uuid::Uuid;

use crate::names::TenantId;

/// Something changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeNotice {
    /// A tenant's row, or one of its domains.
    Tenant(TenantId),
    /// Something within a tenant is no longer valid.
    Revoked(TenantId, Revocation),
    /// Nothing that was issued within a tenant counts without another look-up.
    AllRevoked(TenantId),
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
    /// Reads a notification: a tenant's id when its row changed, with a revocation behind it when
    /// something was revoked. A tenant chooses what is behind its id, so that what cannot be read
    /// there concerns that tenant alone.
    pub(crate) fn read(payload: &str) -> Self {
        let (id, revocation) = match payload.split_once(' ') {
            Some((id, rest)) => (id, Some(rest.parse())),
            None => (payload, None),
        };
        let Ok(id) = id.parse().map(TenantId::new) else {
            return Self::Everything;
        };
        match revocation {
            None => Self::Tenant(id),
            Some(Ok(revocation)) => Self::Revoked(id, revocation),
            Some(Err(())) => Self::AllRevoked(id),
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
    fn what_cannot_be_read_concerns_its_tenant_or_everything() {
        let tenant: TenantId = ID.parse().unwrap();
        assert_eq!(ChangeNotice::read(ID), ChangeNotice::Tenant(tenant));
        let revoked = ChangeNotice::read(&format!("{ID} user {ID}"));
        let user = Revocation::User(ID.parse().unwrap());
        assert_eq!(revoked, ChangeNotice::Revoked(tenant, user));
        for odd in ["", "*", "nothing x", "user 1"] {
            let read = ChangeNotice::read(&format!("{ID} {odd}"));
            assert_eq!(read, ChangeNotice::AllRevoked(tenant), "{odd}");
        }
        for odd in ["", "*", "x y", &format!("x {ID}")] {
            assert_eq!(ChangeNotice::read(odd), ChangeNotice::Everything, "{odd}");
        }
    }
}
