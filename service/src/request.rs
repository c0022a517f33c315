//! What is known of every request before anything else: its id, its trace and its sender.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::extract::ConnectInfo;
use http::{HeaderMap, HeaderName, HeaderValue, request::Parts};

use crate::{entropy::Entropy, header, settings::Network};

/// The header that carries a request's id, in and out.
pub static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

tokio::task_local! {
    static CURRENT: RequestId;
}

/// A request's id: the caller's when it is sane, else ours.
#[derive(Clone, Debug)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// Takes the caller's id if it is 1 to 128 characters of `A-Z a-z 0-9 . _ -`, so that
    /// nothing strange gets into logs and headers; else makes one of 128 random bits.
    #[must_use]
    pub fn of(headers: &HeaderMap, entropy: &Entropy) -> Self {
        let sane = |id: &&str| {
            (1..=128).contains(&id.len())
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        let given = headers
            .get(&X_REQUEST_ID)
            .and_then(|value| value.to_str().ok())
            .filter(sane);
        given.map_or_else(
            || Self(format!("{:032x}", u128::from_be_bytes(entropy.bytes())).into()),
            |id| Self(id.into()),
        )
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as a header's value.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static("-"))
    }

    /// Runs a future in which [`current_id`] answers this id.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }
}

/// The id of the request being served by this task, if any.
#[must_use]
pub fn current_id() -> Option<String> {
    CURRENT.try_with(|id| id.as_str().to_owned()).ok()
}

/// The trace id of a W3C `traceparent` header (32 lowercase hex digits, not all zero).
#[must_use]
pub fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(&TRACEPARENT)?.to_str().ok()?;
    let mut parts = value.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let sound = version.len() == 2 && version != "ff" && trace.len() == 32 && hex(trace);
    (sound && trace.bytes().any(|b| b != b'0')).then_some(trace)
}

/// The address a request came from: the peer's, or what trusted proxies say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddr(pub IpAddr);

/// Where a client is, for counting by: an IPv4 address, or the /64 that whoever has one IPv6 address
/// has all of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientNetwork(IpAddr);

impl std::fmt::Display for ClientNetwork {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl ClientAddr {
    /// Where it is, for counting by.
    #[must_use]
    pub fn network(self) -> ClientNetwork {
        ClientNetwork(match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(address) => {
                let network = address.to_bits() & !u128::from(u64::MAX);
                IpAddr::V6(network.into())
            }
        })
    }

    /// The nearest address that is not a trusted proxy, read from the peer backwards through
    /// `X-Forwarded-For`. What lies beyond the first untrusted address is anybody's claim.
    #[must_use]
    pub fn of(parts: &Parts, network: &Network) -> Self {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::from([0, 0, 0, 0]), |info| {
                info.0.ip().to_canonical()
            });
        let mut client = peer;
        for hop in header::elements(&parts.headers, &X_FORWARDED_FOR).rev() {
            if !network.trusts(client) {
                break;
            }
            let Some(address) = address(hop) else { break };
            client = address.to_canonical();
        }
        Self(client)
    }
}

fn address(hop: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(hop).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(peer: [u8; 4], forwarded: &[&str]) -> Parts {
        let mut request = http::Request::new(());
        request
            .extensions_mut()
            .insert(ConnectInfo(SocketAddr::from((peer, 1))));
        for value in forwarded {
            request
                .headers_mut()
                .append(&X_FORWARDED_FOR, latin1(value));
        }
        request.into_parts().0
    }

    fn latin1(text: &str) -> HeaderValue {
        let bytes: Vec<u8> = text.chars().map(|c| c as u8).collect();
        HeaderValue::from_bytes(&bytes).unwrap()
    }

    fn client(peer: [u8; 4], forwarded: &[&str]) -> String {
        let network = Network::default();
        ClientAddr::of(&parts(peer, forwarded), &network)
            .0
            .to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(client([203, 0, 113, 9], &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(client([127, 0, 0, 1], &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(
            client([127, 0, 0, 1], &["6.6.6.6, 198.51.100.1, 127.0.0.1"]),
            "198.51.100.1"
        );
        assert_eq!(
            client([127, 0, 0, 1], &["6.6.6.6", "198.51.100.1"]),
            "198.51.100.1"
        );
        assert_eq!(client([127, 0, 0, 1], &["198.51.100.1, junk"]), "127.0.0.1");
        for odd in ["é, 198.51.100.1", "\u{fe}", "é, é"] {
            let hops = [odd, "198.51.100.1,127.0.0.1"];
            assert_eq!(client([127, 0, 0, 1], &hops), "198.51.100.1", "{odd}");
        }
        assert_eq!(client([127, 0, 0, 1], &[]), "127.0.0.1");
    }

    #[test]
    fn whoever_has_many_addresses_counts_once() {
        let network = |text: &str| ClientAddr(text.parse().unwrap()).network();
        assert_eq!(network("2001:db8:1:2::3"), network("2001:db8:1:2:ffff::"));
        assert_ne!(network("2001:db8:1:2::3"), network("2001:db8:1:3::3"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }

    #[test]
    fn odd_request_ids_are_replaced() {
        let entropy = Entropy::seeded(1);
        let id = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(
                &X_REQUEST_ID,
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
            RequestId::of(&headers, &entropy).as_str().to_owned()
        };
        assert_eq!(id("abc-1.2_3"), "abc-1.2_3");
        for odd in ["", "a b", "<script>", "é", &"x".repeat(129)] {
            assert_eq!(id(odd).len(), 32, "{odd:?}");
        }
    }

    #[test]
    fn trace_ids_are_checked() {
        let trace = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(&TRACEPARENT, HeaderValue::from_static(value));
            trace_id(&headers).map(str::to_owned)
        };
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(
            trace(good).as_deref(),
            Some("4bf92f3577b34da6a3ce929d0e0e4736")
        );
        assert_eq!(
            trace("00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
            None
        );
        assert_eq!(
            trace("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            None
        );
        assert_eq!(trace("nonsense"), None);
    }
}
