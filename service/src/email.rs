//! Email addresses: one rule for sign-up, registration, administration and operators, and one
//! form in which each is kept, so that one mailbox is one user.
//!
//! What a browser's email field takes (WHATWG HTML), less what two spellings could share: no
//! display name, comment or quotes, no address literal, and a domain with a dot. The domain is
//! kept in A-labels and lower case; the local part, whose meaning is its host's, as it is written.

use std::borrow::Cow;

const MAX_LENGTH: usize = 254;
const MAX_LOCAL: usize = 64;

/// The form in which an address is kept; `None` when it is none.
#[must_use]
pub fn canonical(text: &str) -> Option<String> {
    let (local, host) = text.rsplit_once('@')?;
    let email = format!("{local}@{}", domain(host)?);
    (is_local(local) && email.len() <= MAX_LENGTH).then_some(email)
}

/// The name by which a user is looked up: an email address in the form in which it is kept, and
/// anything else (a username, or nobody's name) as it is.
#[must_use]
pub fn login(name: &str) -> Cow<'_, str> {
    canonical(name).map_or(Cow::Borrowed(name), Cow::Owned)
}

/// A dot-atom (RFC 5321 section 4.1.2).
fn is_local(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&b);
    let atom = |atom: &str| !atom.is_empty() && atom.bytes().all(plain);
    text.len() <= MAX_LOCAL && text.split('.').all(atom)
}

fn domain(text: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii_strict(text).ok()?;
    let (_, last) = ascii.rsplit_once('.')?;
    // What ends in digits is an address to a URL parser (WHATWG URL), and no host's name.
    let numeric = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
    (ascii.len() <= 253 && !numeric).then_some(ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mailbox_has_one_form() {
        for (text, kept) in [
            ("ada@example.com", "ada@example.com"),
            ("A.b+c_d'e@sub.example.com", "A.b+c_d'e@sub.example.com"),
            ("Ada@EXAMPLE.Com", "Ada@example.com"),
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
            ("ada@bu\u{308}cher.example", "ada@xn--bcher-kva.example"),
            ("ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"),
            ("ada@example\u{3002}com", "ada@example.com"),
            ("ada@ｅxample.com", "ada@example.com"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(kept), "{text}");
            assert_eq!(canonical(kept).as_deref(), Some(kept), "{text}");
            assert_eq!(login(text), kept);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "x".repeat(65));
        let longer = format!("ada@{}example.com", "a.".repeat(125));
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example",
            "x@y",
            "ada@localhost",
            "m <kim@example.com>",
            "<kim@example.com>",
            "kim@example.com (m)",
            "mailto:kim@example.com?x=@y",
            "ada@[127.0.0.1]",
            "ada@[IPv6:::1]",
            "ada@127.0.0.1",
            "ada@0x7f.0x1",
            "ada@example.com.",
            "ada@.example.com",
            "ada@exa..mple.com",
            "ada@-example.com",
            "ada@exa_mple.com",
            "ada@exa mple.com",
            "ada@xn--a.example",
            "a b@example.com",
            "\"a b\"@example.com",
            "\"ada\"@example.com",
            "ada@evil@example.com",
            ".ada@example.com",
            "ada.@example.com",
            "a..b@example.com",
            "ädä@example.com",
            "a\r\nb@example.com",
            "ada@example.com\n",
            "ada,eve@example.com",
            &long,
            &longer,
        ] {
            assert_eq!(canonical(bad), None, "{bad:?}");
            assert_eq!(login(bad), bad);
        }
    }
}
