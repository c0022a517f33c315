//! What is left of a request's body once it is answered: read on for a little.
//!
//! Whoever answers early (401, 404, 413, 429, 503) has not read the body. Were the connection closed
//! with it unread, the client, which is still sending, would get a reset in place of the answer.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use tokio::runtime::Handle;

/// As much is read on, and for so long; then the connection is closed.
const MAX_BYTES: usize = super::LIMIT;
const MAX_TIME: Duration = Duration::from_secs(2);

/// A body whose rest is read by a task when it is dropped.
struct ReadOn(Body);

/// A request's body, of which what nobody reads is read on.
pub(crate) fn read_on(body: Body) -> Body {
    if body.is_end_stream() {
        body
    } else {
        Body::new(ReadOn(body))
    }
}

impl HttpBody for ReadOn {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.0).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl Drop for ReadOn {
    fn drop(&mut self) {
        if self.0.is_end_stream() {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let rest = mem::take(&mut self.0);
            drop(runtime.spawn(tokio::time::timeout(MAX_TIME, read(rest))));
        }
    }
}

async fn read(mut rest: Body) {
    let mut bytes = 0;
    while bytes <= MAX_BYTES
        && let Some(Ok(frame)) = rest.frame().await
    {
        bytes += frame.data_ref().map_or(0, Bytes::len);
    }
}
