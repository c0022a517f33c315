//! Answers under way: bounded in bytes for each tenant, and in time as a whole, so that clients that
//! read slowly hold no more memory than their tenant's share.
//!
//! A body is handed to the connection in small pieces, the next when there is room, and counts
//! against its tenant until the last has been taken.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, HttpBody},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::problem::{Kind, Problem};

/// The pieces in which a body is handed on.
const PIECE: usize = 16 * 1024;
/// The longest that an answer may take from its first byte to its last.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// The bytes of answers that one tenant may have under way.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The bytes of answers under way, by a key of whoever they are for; cheap to clone.
#[derive(Clone, Default)]
pub struct Answers(Arc<Mutex<HashMap<u128, usize>>>);

/// Whom an answer is for: an extension of the request that whoever finds out sets.
#[derive(Clone, Default)]
pub struct Recipient(Arc<OnceLock<u128>>);

impl Recipient {
    /// The answer counts against this key. The first key counts.
    pub fn set(&self, key: u128) {
        let _ = self.0.set(key);
    }
}

impl Answers {
    /// Counts an answer against whomever it is for until it has been sent. One that is for nobody
    /// known is not counted.
    ///
    /// # Errors
    /// 503 `unavailable` with Retry-After when the key has [`MAX_BYTES`] under way.
    pub async fn send(&self, recipient: &Recipient, response: Response) -> Response {
        let Some(key) = recipient.0.get().copied() else {
            return response;
        };
        let (parts, body) = response.into_parts();
        let Some(length) = body.size_hint().exact() else {
            return Response::from_parts(parts, body);
        };
        let bytes = usize::try_from(length).unwrap_or(usize::MAX);
        if bytes <= PIECE {
            return Response::from_parts(parts, body);
        }
        let Some(counted) = self.count(key, bytes) else {
            return busy().into_response();
        };
        match body.collect().await {
            Ok(collected) => {
                let paced = Paced::new(collected.to_bytes(), counted, ANSWER_TIMEOUT);
                Response::from_parts(parts, Body::new(paced))
            }
            Err(cause) => Problem::internal(&cause).into_response(),
        }
    }

    /// The bytes that a key has under way.
    #[must_use]
    pub fn under_way(&self, key: u128) -> usize {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&key).copied().unwrap_or(0)
    }

    fn count(&self, key: u128, bytes: usize) -> Option<Counted> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let used = all.get(&key).copied().unwrap_or(0);
        // One answer is always let through, whatever its length.
        if used > 0 && used + bytes > MAX_BYTES {
            return None;
        }
        all.insert(key, used + bytes);
        Some(Counted {
            all: Arc::clone(&self.0),
            key,
            bytes,
        })
    }
}

fn busy() -> Problem {
    metrics::counter!("answers_refused_total").increment(1);
    Problem::new(Kind::Unavailable)
        .detail("Too many answers of this tenant are still being read.")
        .retry_after(2)
}

/// Bytes under way; no longer when it is dropped.
struct Counted {
    all: Arc<Mutex<HashMap<u128, usize>>>,
    key: u128,
    bytes: usize,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(used) = all.get_mut(&self.key) {
            *used = used.saturating_sub(self.bytes);
            if *used == 0 {
                all.remove(&self.key);
            }
        }
    }
}

/// A body in pieces, within a time.
struct Paced {
    rest: Bytes,
    ends: Instant,
    /// Wakes a connection that has nothing to write.
    deadline: Pin<Box<Sleep>>,
    _counted: Counted,
}

impl Paced {
    fn new(body: Bytes, counted: Counted, limit: Duration) -> Self {
        Self {
            rest: body,
            ends: Instant::now() + limit,
            deadline: Box::pin(tokio::time::sleep(limit)),
            _counted: counted,
        }
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let over = self.deadline.as_mut().poll(context).is_ready();
        if over || Instant::now() >= self.ends {
            let slow = "the client takes too long to read the answer";
            return Poll::Ready(Some(Err(std::io::Error::other(slow))));
        }
        let piece = self.rest.len().min(PIECE);
        if piece == 0 {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(key: u128) -> Recipient {
        let recipient = Recipient::default();
        recipient.set(key);
        recipient
    }

    fn answer(bytes: usize) -> Response {
        Body::from(vec![b'x'; bytes]).into_response()
    }

    #[tokio::test]
    async fn a_tenant_has_so_many_bytes_under_way_and_others_their_own() {
        let answers = Answers::default();
        let first = answers.send(&to(1), answer(MAX_BYTES)).await;
        assert_eq!(first.status(), 200);
        let refused = answers.send(&to(1), answer(PIECE + 1)).await;
        assert_eq!(refused.status(), 503);
        assert!(refused.headers().contains_key("retry-after"));
        assert_eq!(answers.send(&to(2), answer(MAX_BYTES)).await.status(), 200);
        drop(first);
        assert_eq!(answers.under_way(1), 0);
        assert_eq!(answers.send(&to(1), answer(PIECE + 1)).await.status(), 200);
    }

    #[tokio::test]
    async fn a_body_arrives_whole() {
        let answers = Answers::default();
        let sent = answers.send(&to(1), answer(3 * PIECE + 1)).await;
        let body = sent.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body.len(), 3 * PIECE + 1);
        assert_eq!(answers.under_way(1), 0);
    }

    #[tokio::test]
    async fn an_answer_ends_by_its_time_however_slowly_it_is_read() {
        let counted = Answers::default().count(1, 1).unwrap();
        let mut late = Paced::new(Bytes::from_static(b"x"), counted, Duration::ZERO);
        assert!(late.frame().await.unwrap().is_err());
    }
}
