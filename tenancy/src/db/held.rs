//! A connection in use, given back when its state is known, and thrown away on doubt.

use std::time::Duration;

use deadpool::managed::Object;
use tokio::runtime::Handle;

use super::{
    conn::{Conn, Pooled},
    error::Error,
};

/// For what is under way to end after whoever waited for it has gone; longer than any statement
/// may take unless an operator says otherwise.
const LANDING: Duration = Duration::from_secs(60);

/// Holds a connection. From [`begin`](Held::begin) on its state is in doubt, and dropping it (an
/// error, a time limit, a client that hung up) closes it. From [`launch`](Held::launch) to
/// [`settle`](Held::settle) all is sent that ends what was begun: dropped there, it is given back
/// when PostgreSQL is done, and not before, or the next tenant would wait for that.
pub(crate) struct Held {
    leased: Option<Leased>,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Settled,
    InFlight,
    InDoubt,
}

/// A connection, counted as in use for as long as it is.
struct Leased {
    conn: Pooled,
    _counted: Counted,
}

impl Held {
    pub(crate) fn new(conn: Pooled) -> Self {
        Self {
            leased: Some(Leased {
                conn,
                _counted: Counted::new(),
            }),
            state: State::Settled,
        }
    }

    /// Takes the connection for a transaction; from here on its state is in doubt.
    pub(crate) fn begin(&mut self) -> &mut Conn {
        self.state = State::InDoubt;
        self.conn()
    }

    /// Takes the connection for a flight whose last statement ends the transaction.
    pub(crate) fn launch(&mut self) -> &mut Conn {
        self.state = State::InFlight;
        self.conn()
    }

    /// The flight is down: if the transaction is known to have ended, the connection may serve
    /// another tenant.
    pub(crate) fn settle(&mut self, ended: Result<(), tokio_postgres::Error>) -> Result<(), Error> {
        self.state = if ended.is_ok() {
            State::Settled
        } else {
            State::InDoubt
        };
        Ok(ended?)
    }

    /// Closes the connection. Another has to take its place before anything else is done.
    pub(crate) fn discard(&mut self) {
        if let Some(leased) = self.leased.take() {
            leased.discard();
        }
    }

    /// Whether there is a connection, which only [`discard`](Self::discard) takes away.
    pub(crate) fn has_connection(&self) -> bool {
        self.leased.is_some()
    }

    #[expect(
        clippy::expect_used,
        reason = "whoever takes the connection has done with it"
    )]
    pub(crate) fn conn(&mut self) -> &mut Conn {
        &mut self.leased.as_mut().expect("held until dropped").conn
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(leased) = self.leased.take() else {
            return;
        };
        match (self.state, Handle::try_current()) {
            (State::Settled, _) => drop(leased),
            (State::InFlight, Ok(runtime)) => drop(runtime.spawn(leased.land())),
            _ => leased.discard(),
        }
    }
}

impl Leased {
    /// Waits until PostgreSQL is done with all that was sent, then gives the connection back.
    async fn land(self) {
        let done = self.conn.client().simple_query("");
        if !matches!(tokio::time::timeout(LANDING, done).await, Ok(Ok(_))) {
            self.discard();
        }
    }

    fn discard(self) {
        metrics::counter!("tenant_connections_discarded_total").increment(1);
        drop(Object::take(self.conn));
    }
}

struct Counted;

impl Counted {
    fn new() -> Self {
        metrics::gauge!("tenant_connections_in_use").increment(1.0);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!("tenant_connections_in_use").decrement(1.0);
    }
}
