//! Rate limits: 429 with `Retry-After` and the `RateLimit` header fields.
//!
//! A [`RateLimit`] counts by any key (an address, a tenant, an account) in memory, by the generic
//! cell rate algorithm. Limits are per process; behind several, the gateway's come first.

use std::{
    hash::Hash,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use http::{HeaderName, HeaderValue};

use crate::problem::{Kind, Problem};

/// After so many requests the keys at rest are forgotten, so that one who makes up a new key each
/// time takes no more memory than this.
const SWEEP_EVERY: usize = 10_000;

/// A limit by key.
#[derive(Clone)]
pub struct RateLimit<K: Hash + Eq + Clone>(Arc<Inner<K>>);

/// What a limit is called, and how many it allows in which time.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// In the `RateLimit` fields and in metrics.
    pub name: &'static str,
    /// So many...
    pub quota: NonZeroU32,
    /// ...in this time.
    pub window: Duration,
}

struct Inner<K: Hash + Eq + Clone> {
    limit: Limit,
    limiter: DefaultKeyedRateLimiter<K>,
    checks: AtomicUsize,
}

impl<K: Hash + Eq + Clone> RateLimit<K> {
    /// `quota` requests in a `window` for each key, all of them at once if need be.
    #[must_use]
    pub fn new(name: &'static str, quota: NonZeroU32, window: Duration) -> Self {
        let rate = Quota::with_period(window / quota.get())
            .map_or_else(|| Quota::per_second(quota), |rate| rate.allow_burst(quota));
        let limit = Limit {
            name,
            quota,
            window,
        };
        Self(Arc::new(Inner {
            limit,
            limiter: RateLimiter::keyed(rate),
            checks: AtomicUsize::new(1),
        }))
    }

    /// Counts a request of a key.
    ///
    /// # Errors
    /// 429 `rate-limited` when the key has used up its quota.
    pub fn check(&self, key: &K) -> Result<(), Problem> {
        let checks = self.0.checks.fetch_add(1, Ordering::Relaxed);
        if checks.is_multiple_of(SWEEP_EVERY) {
            self.0.limiter.retain_recent();
        }
        let Err(refused) = self.0.limiter.check_key(key) else {
            return Ok(());
        };
        let wait = refused.wait_time_from(DefaultClock::default().now());
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Err(refuse(&self.0.limit, seconds))
    }
}

/// 429 `rate-limited`: a limit is used up for some seconds.
#[must_use]
pub fn refuse(limit: &Limit, seconds: u64) -> Problem {
    let Limit {
        name,
        quota,
        window,
    } = limit;
    metrics::counter!("rate_limited_total", "limit" => *name).increment(1);
    let window = window.as_secs().max(1);
    let policy = format!("\"{name}\";q={quota};w={window}");
    Problem::new(Kind::RateLimited)
        .detail("Too many requests. Try again later.")
        .header(HeaderName::from_static("ratelimit-policy"), text(&policy))
        .header(
            HeaderName::from_static("ratelimit"),
            text(&format!("\"{name}\";r=0;t={seconds}")),
        )
        .retry_after(seconds)
}

fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    #[test]
    fn keys_at_rest_are_forgotten() {
        let many = NonZeroU32::new(1_000_000).unwrap();
        let limit = RateLimit::new("requests", many, Duration::from_secs(1));
        for key in 0..5 * SWEEP_EVERY {
            limit.check(&key).unwrap();
        }
        assert!(limit.0.limiter.len() <= 2 * SWEEP_EVERY);
    }

    #[test]
    fn each_key_has_a_quota_of_its_own() {
        let three = NonZeroU32::new(3).unwrap();
        let limit = RateLimit::new("sign-up", three, Duration::from_secs(60));
        assert!((0..3).all(|_| limit.check(&"a").is_ok()));
        let response = limit.check(&"a").unwrap_err().into_response();
        assert_eq!(response.status(), 429);
        assert!(response.headers().contains_key("retry-after"));
        assert_eq!(
            response.headers()["ratelimit-policy"],
            "\"sign-up\";q=3;w=60"
        );
        assert!(
            response.headers()["ratelimit"]
                .to_str()
                .unwrap()
                .starts_with("\"sign-up\";r=0;t=")
        );
        assert!(limit.check(&"b").is_ok());
    }
}
