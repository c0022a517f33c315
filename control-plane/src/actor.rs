//! Who asks for something.

use service::Digest;
use uuid::Uuid;

/// Somebody who asks for a tenant or a token.
#[derive(Clone, Copy, Debug)]
pub enum Actor<'a> {
    /// Anybody at all.
    Stranger,
    /// Whoever holds an operator's token.
    Operator {
        /// The token's id.
        token: Uuid,
        /// As the record names them.
        name: &'a str,
    },
    /// Whoever works on the database itself.
    CommandLine,
}

impl Actor<'_> {
    /// As the record names them.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Stranger => "sign-up",
            Self::Operator { name, .. } => name,
            Self::CommandLine => "command line",
        }
    }

    /// The id of the token that they present.
    pub(crate) fn token(&self) -> Option<Uuid> {
        match self {
            Self::Operator { token, .. } => Some(*token),
            Self::Stranger | Self::CommandLine => None,
        }
    }

    /// An idempotency key of theirs: the same text sent by somebody else is another key. Strangers
    /// share theirs, since nothing tells one from another for as long as a key is remembered.
    pub(crate) fn idempotency_key(&self, text: &str) -> Digest {
        // No key has a line end in it.
        match self.token() {
            Some(token) => Digest::of(&format!("operator {token}\n{text}")),
            None => Digest::of(&format!("{}\n{text}", self.name())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_senders_own() {
        let operator = |number| Actor::Operator {
            token: Uuid::from_u128(number),
            name: "operator:tests",
        };
        let senders = [
            Actor::Stranger,
            Actor::CommandLine,
            operator(1),
            operator(2),
        ];
        for (one, sender) in senders.iter().enumerate() {
            for (two, other) in senders.iter().enumerate() {
                let same = sender.idempotency_key("key") == other.idempotency_key("key");
                assert_eq!(same, one == two, "{sender:?} {other:?}");
            }
        }
    }
}
