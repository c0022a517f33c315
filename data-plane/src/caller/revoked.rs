//! What is no longer valid, as it is told from process to process.

use std::{fmt, str::FromStr};

use service::Digest;
use uuid::Uuid;

use crate::ids::UserId;

/// Something that memory must forget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Revoked {
    /// One token or session, by its digest.
    Secret(Digest),
    /// All tokens that one authorization gave rise to.
    Family(Uuid),
    /// Whatever acts for a user.
    User(UserId),
    /// A client, and whatever acts for it.
    Client(String),
}

impl fmt::Display for Revoked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(digest) => {
                formatter.write_str("secret ")?;
                digest
                    .as_bytes()
                    .iter()
                    .try_for_each(|byte| write!(formatter, "{byte:02x}"))
            }
            Self::Family(family) => write!(formatter, "family {family}"),
            Self::User(user) => write!(formatter, "user {user}"),
            Self::Client(client) => write!(formatter, "client {client}"),
        }
    }
}

impl FromStr for Revoked {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (kind, value) = text.split_once(' ').ok_or(())?;
        match kind {
            "secret" => digest(value).map(Self::Secret).ok_or(()),
            "family" => value.parse().map(Self::Family).map_err(|_| ()),
            "user" => value.parse().map(Self::User).map_err(|_| ()),
            "client" => Ok(Self::Client(value.to_owned())),
            _ => Err(()),
        }
    }
}

fn digest(hex: &str) -> Option<Digest> {
    let pairs = (0..hex.len()).step_by(2).map(|at| hex.get(at..at + 2));
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| u8::from_str_radix(pair?, 16).ok())
        .collect();
    Digest::from_bytes(&bytes?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_understood() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        for revoked in [
            Revoked::Secret(Digest::of("x")),
            Revoked::Family(id.parse().unwrap()),
            Revoked::User(id.parse().unwrap()),
            Revoked::Client("tnt_client_x".to_owned()),
        ] {
            assert_eq!(revoked.to_string().parse(), Ok(revoked));
        }
        for odd in [
            "",
            "secret",
            "secret xyz",
            "secret aé",
            "user 1",
            "nothing x",
        ] {
            assert_eq!(odd.parse::<Revoked>(), Err(()), "{odd}");
        }
    }
}
