//! The time, as an argument.
//!
//! Code that decides by time takes a [`Clock`]; `clippy.toml` forbids the ambient ones. Tests
//! hold a clock still and move it by hand, so that an expiry is tested without waiting for it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use time::{Duration, OffsetDateTime};

/// Tells the time in UTC: the system's, or one that a test moves.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that starts at the system's time, or where it is [`advance`](Self::advance)d to,
    /// relative to it. Clones move together.
    #[must_use]
    pub fn movable() -> Self {
        Self(Some(Arc::new(AtomicI64::new(0))))
    }

    /// The time now, in UTC, to the microsecond that PostgreSQL keeps.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's clock"
    )]
    pub fn now(&self) -> OffsetDateTime {
        let offset = self
            .0
            .as_ref()
            .map_or(0, |seconds| seconds.load(Ordering::Relaxed));
        let now = OffsetDateTime::now_utc() + Duration::seconds(offset);
        let micros = now.microsecond();
        now.replace_microsecond(micros).unwrap_or(now)
    }

    /// Moves a [`movable`](Self::movable) clock; the system's clock stays where it is.
    pub fn advance(&self, by: Duration) {
        if let Some(seconds) = &self.0 {
            seconds.fetch_add(by.whole_seconds(), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_movable_clock_move_together() {
        let clock = Clock::movable();
        let clone = clock.clone();
        let before = clock.now();
        clone.advance(Duration::hours(2));
        assert!(clock.now() - before >= Duration::hours(2));
    }
}
