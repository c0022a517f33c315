//! An id that is nobody's, in the shape of one that is somebody's.

use service::Entropy;
use uuid::Uuid;

/// The same kind of id, of nothing.
pub(super) fn like(id: &str) -> String {
    let bytes = Entropy::system().unwrap().bytes::<16>();
    if id.parse::<Uuid>().is_ok() {
        return Uuid::from_bytes(bytes).to_string();
    }
    if let Ok(number) = id.parse::<i64>() {
        return (number + 1_000_000 + i64::from(bytes[0])).to_string();
    }
    // The end varies in what we name: the beginning may be a prefix that is looked at.
    let mut letters = bytes.iter().map(|byte| char::from(b'a' + byte % 26));
    let kept: Vec<char> = id.chars().collect();
    let from = kept.len().saturating_sub(6);
    let changed = kept.iter().enumerate().map(|(place, one)| {
        let vary = place >= from && one.is_ascii_alphanumeric();
        vary.then(|| letters.next()).flatten().unwrap_or(*one)
    });
    changed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unused_id_keeps_the_shape() {
        let uuid = Uuid::from_bytes([7; 16]).to_string();
        let other = like(&uuid);
        assert!(other != uuid && other.parse::<Uuid>().is_ok());
        assert!(like("12").parse::<i64>().unwrap() > 1_000_000);
        let host = like("www.acme.example");
        assert!(host.starts_with("www.acme.e") && host != "www.acme.example");
        assert_eq!(host.len(), "www.acme.example".len());
    }
}
