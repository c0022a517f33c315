//! What may be a password, wherever one is set.
//!
//! The tenant decides on length and strength; nobody's password is their own name or one that
//! everybody tries first. `common-passwords.txt` holds those of at least eight characters that
//! are tried first, in lower case and sorted.

use std::sync::LazyLock;

use secrecy::SecretString;
use unicode_normalization::UnicodeNormalization;

use crate::{body::Text, faults::Faults};

/// The least length that any password may have, in characters.
pub const MIN_PASSWORD: usize = 8;
/// The greatest. What is longer costs hashing time and protects no better.
pub const MAX_PASSWORD: usize = 256;

static COMMON: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let lines = include_str!("common-passwords.txt").lines();
    lines.filter(|line| !line.starts_with('#')).collect()
});

/// What a tenant asks of a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordRules {
    /// Least number of characters, though never fewer than [`MIN_PASSWORD`].
    pub min_length: usize,
    /// Least score by zxcvbn, 1 to 4; 0 asks for none.
    pub min_score: u8,
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self {
            min_length: MIN_PASSWORD,
            min_score: 0,
        }
    }
}

/// A new password of somebody with these names, username and email, as far as they are known.
pub fn password(
    text: Text,
    rules: PasswordRules,
    names: &[Option<&str>],
    field: &'static str,
    faults: &mut Faults,
) -> Option<SecretString> {
    // Kept and counted as it will be compared.
    let password: String = text.required(field, faults)?.nfc().collect();
    match rules.fault(&password, names) {
        None => Some(password.into()),
        Some(fault) => {
            faults.add(field, fault);
            None
        }
    }
}

impl PasswordRules {
    fn fault(self, password: &str, names: &[Option<&str>]) -> Option<String> {
        let least = self.min_length.max(MIN_PASSWORD);
        if !(least..=MAX_PASSWORD).contains(&password.chars().count()) {
            return Some(format!("must have {least} to {MAX_PASSWORD} characters"));
        }
        let lower = password.to_lowercase();
        let names: Vec<&str> = names.iter().flatten().copied().collect();
        if names.iter().any(|name| name.to_lowercase() == lower) {
            return Some("must not be the username or email address".to_owned());
        }
        if COMMON.binary_search(&lower.as_str()).is_ok() {
            return Some("is one of the passwords that are tried first".to_owned());
        }
        let weak = self.min_score > 0
            && u8::from(zxcvbn::zxcvbn(password, &names).score()) < self.min_score;
        weak.then(|| "is too easy to guess".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: PasswordRules = PasswordRules {
        min_length: 8,
        min_score: 0,
    };

    fn takes(text: &str, rules: PasswordRules) -> bool {
        let names = [Some("grace.hopper"), Some("grace@acme.example"), None];
        let text = Text::Given(text.to_owned());
        password(text, rules, &names, "password", &mut Faults::new()).is_some()
    }

    #[test]
    fn passwords_are_long_enough_and_not_too_long() {
        let longer = PasswordRules {
            min_length: 12,
            ..DEFAULT
        };
        let (longest, too_long) = ("xy".repeat(128), "x".repeat(257));
        assert!(takes("secure123", DEFAULT) && takes("pässwörd", DEFAULT));
        assert!(takes(&longest, DEFAULT) && !takes(&too_long, DEFAULT));
        assert!(!takes("zq4-7ak", DEFAULT) && !takes("secure123", longer));
        // Seven characters, however they are composed.
        assert!(!takes("pa\u{308}ssw\u{f6}r", DEFAULT));
    }

    #[test]
    fn nobodys_password_is_their_name_or_what_is_tried_first() {
        for bad in [
            "grace.hopper",
            "Grace.Hopper",
            "GRACE@acme.example",
            "password",
            "12345678",
            "QWERTYUIOP",
            "Password1",
        ] {
            assert!(!takes(bad, DEFAULT), "{bad}");
        }
    }

    #[test]
    fn a_tenant_may_ask_for_a_score() {
        let scored = |min_score| PasswordRules {
            min_score,
            ..DEFAULT
        };
        assert!(takes("secure123", scored(1)));
        assert!(!takes("secure123", scored(3)));
        assert!(!takes("gracehopper1", scored(3)));
        assert!(takes("correct horse battery", scored(4)));
    }

    #[test]
    fn the_common_ones_are_sorted_and_could_be_passwords() {
        assert!(COMMON.len() >= 900 && COMMON.is_sorted());
        let long = |word: &&str| word.len() >= MIN_PASSWORD && word.to_lowercase() == **word;
        assert!(COMMON.iter().all(long));
    }
}
