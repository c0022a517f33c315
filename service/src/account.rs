//! What may be a username, an email address and a password: one rule for sign-up, registration
//! and administration.

mod password_rules;

pub use password_rules::{MAX_PASSWORD, MIN_PASSWORD, PasswordRules, password};

use crate::{body::Text, email, faults::Faults};

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

/// An email address, in the form in which it is kept.
pub fn email(text: Text, field: &'static str, faults: &mut Faults) -> Option<String> {
    let text = text.required(field, faults)?;
    let email = email::canonical(text.trim_ascii());
    if email.is_none() {
        faults.add(field, "must be an email address, such as name@example.com");
    }
    email
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
    fn an_email_address_is_kept_in_one_form() {
        let kept = |text: &str| email(given(text), "e", &mut Faults::new());
        let form = Some("ada@xn--bcher-kva.example".to_owned());
        assert_eq!(kept(" ada@B\u{fc}cher.example\n"), form);
        assert_eq!(kept("m <kim@example.com>"), None);
    }
}
