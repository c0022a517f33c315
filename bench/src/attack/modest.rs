//! The client that behaves: a fixed rate, whatever the answers do, so that a slow answer holds back
//! none of those after it.

use std::{
    fmt::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{task::JoinSet, time::MissedTickBehavior};

use super::wire::Connection;
use crate::load::{Request, Window};

/// Requests a second.
const RATE: u32 = 200;

/// One client, its connections kept open.
pub(super) struct Modest {
    port: u16,
    requests: Vec<Arc<[u8]>>,
    kept: Arc<Mutex<Vec<Connection>>>,
}

/// A request as it goes over the wire.
pub(super) fn text(request: &Request) -> String {
    let mut text = format!("{} {} HTTP/1.1\r\n", request.method, request.path);
    for (name, value) in &request.headers {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    text.push_str("\r\n");
    text
}

impl Modest {
    /// Sends these requests in turn.
    pub(super) fn new(port: u16, requests: &[Request]) -> Self {
        let bytes = |request| text(request).into_bytes().into();
        Self {
            port,
            requests: requests.iter().map(bytes).collect(),
            kept: Arc::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends for some time; how long the answers took.
    pub(super) async fn window(&self, length: Duration) -> anyhow::Result<Window> {
        // Those of the window before may have been closed for having been idle.
        self.kept().clear();
        let started = Instant::now();
        let mut tick = tokio::time::interval(Duration::from_secs(1) / RATE);
        // Requests that could not be sent because this process had no turn are left out, not sent
        // in a burst that no client at this rate would send.
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut asking = JoinSet::new();
        let mut requests = self.requests.iter().cycle();
        while started.elapsed() < length {
            tick.tick().await;
            let Some(request) = requests.next().cloned() else {
                break;
            };
            let (port, kept) = (self.port, self.kept.clone());
            asking.spawn(async move {
                let began = Instant::now();
                let answered = ask(port, &request, &kept).await;
                answered.then(|| began.elapsed())
            });
        }
        let times = asking.join_all().await;
        Ok(window(&times, started.elapsed()))
    }
}

async fn ask(port: u16, request: &[u8], kept: &Mutex<Vec<Connection>>) -> bool {
    let before = kept.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut connection = match before {
        Some(connection) => connection,
        None => match Connection::open([127, 0, 0, 1], port).await {
            Ok(connection) => connection,
            Err(_) => return false,
        },
    };
    let good = connection
        .ask(request)
        .await
        .is_ok_and(|status| status == 200);
    if good && !connection.last() {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(connection);
    }
    good
}

pub(super) fn window(times: &[Option<Duration>], length: Duration) -> Window {
    let mut good: Vec<Duration> = times.iter().flatten().copied().collect();
    good.sort_unstable();
    let at = |share: f64| {
        let place = (good.len() as f64 * share).ceil() as usize;
        let time = good.get(place.saturating_sub(1)).copied();
        time.unwrap_or_default().as_secs_f64() * 1e6
    };
    Window {
        per_second: good.len() as f64 / length.as_secs_f64(),
        p50_us: at(0.50),
        p99_us: at(0.99),
        failed: (times.len() - good.len()) as u64,
        noisy: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_hundredth_and_what_failed_are_counted() {
        let mut times: Vec<_> = (1..=200)
            .map(|ms| Some(Duration::from_millis(ms)))
            .collect();
        times.push(None);
        let window = window(&times, Duration::from_secs(2));
        assert_eq!((window.p50_us, window.p99_us), (100_000.0, 198_000.0));
        assert_eq!((window.per_second, window.failed), (100.0, 1));
    }
}
