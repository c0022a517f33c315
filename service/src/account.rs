//! What may be a username, an email address and a password: one rule for sign-up, registration
//! and administration.

use email_address::EmailAddress;
use secrecy::SecretString;

use crate::{body::Text, faults::Faults};

/// The least length that any password may have, in characters.
pub const LEAST_PASSWORD: usize = 8;
/// The greatest. What is longer costs hashing time and protects no better.
pub const LONGEST_PASSWORD: usize = 256;

/// A username: 3 to 64 of `A-Z a-z 0-9 . _ -`. Without `@`, it can be nobody's email address.
pub fn username(text: Text, field: &'static str, faults: &mut Faults) -> Option<String> {
    let name = text.required(field, faults)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if (3..=64).contains(&name.len()) && name.bytes().all(plain) {
        return Some(name);
    }
    faults.add(
        field,
        "must have 3 to 64 of letters, digits, '.', '_' and '-'",
    );
    None
}

/// An email address (RFC 5321) of at most 254 bytes, as it was written.
pub fn email(text: Text, field: &'static str, faults: &mut Faults) -> Option<String> {
    let email = text.required(field, faults)?.trim().to_owned();
    let control = email.chars().any(char::is_control);
    if email.len() <= 254 && !control && EmailAddress::is_valid(&email) {
        return Some(email);
    }
    faults.add(field, "must be an email address");
    None
}

/// A password of `least` to 256 characters, whatever they are.
pub fn password(
    text: Text,
    least: usize,
    field: &'static str,
    faults: &mut Faults,
) -> Option<SecretString> {
    let password = text.required(field, faults)?;
    let least = least.max(LEAST_PASSWORD);
    if (least..=LONGEST_PASSWORD).contains(&password.chars().count()) {
        return Some(password.into());
    }
    faults.add(
        field,
        format!("must have {least} to {LONGEST_PASSWORD} characters"),
    );
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> Text {
        Text::Given(text.to_owned())
    }

    #[test]
    fn usernames_are_plain_and_no_email_addresses() {
        let check = |text: &str| username(given(text), "u", &mut Faults::new()).is_some();
        assert!(check("ada") && check("a.b-c_9") && check(&"x".repeat(64)));
        for bad in [
            "",
            "ab",
            "a b",
            "ada@example.com",
            "ädä",
            "a\nb",
            &"x".repeat(65),
        ] {
            assert!(!check(bad), "{bad:?}");
        }
    }

    #[test]
    fn email_addresses_are_checked() {
        let check = |text: &str| email(given(text), "e", &mut Faults::new()).is_some();
        assert!(check("ada@example.com") && check("a+b@sub.example.com"));
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "a b@example.com",
            "a\r\nb@example.com",
        ] {
            assert!(!check(bad), "{bad:?}");
        }
        assert!(!check(&format!("{}@example.com", "x".repeat(300))));
    }

    #[test]
    fn passwords_are_long_enough_and_not_too_long() {
        let check =
            |text: &str, least| password(given(text), least, "p", &mut Faults::new()).is_some();
        assert!(check("12345678", 0) && check("pässwörd", 8) && check(&"x".repeat(256), 8));
        assert!(!check("1234567", 0) && !check("12345678", 12) && !check(&"x".repeat(257), 8));
    }
}
