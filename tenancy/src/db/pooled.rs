//! A connection in use, given back when its transaction is known to have ended, and closed on doubt.

use std::time::Duration;

use deadpool::managed::Object;
use tokio::runtime::Handle;

use super::{
    admission::ConnectionPermit,
    conn::{Conn, Pooled},
    error::Error,
    lane::Lane,
};

/// For what is under way to end after whoever waited for it has gone; longer than any statement
/// may take unless an operator says otherwise.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// A connection, and a transaction perhaps. From [`begin`](Self::begin) on its state is in doubt,
/// and dropping it (an error, a time limit, a client that hung up) closes it. From
/// [`send_commit`](Self::send_commit) to [`finish`](Self::finish) all is sent that ends what was
/// begun: dropped there, it is given back when PostgreSQL is done, and not before, or the next
/// tenant would wait for that. Either way it counts as its tenant's until PostgreSQL is done.
pub(crate) struct PooledTransaction {
    leased: Option<Leased>,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Ended,
    Ending,
    Open,
}

/// A connection, counted as in use for as long as it is. It is back in the pool before its permit
/// goes to the next.
struct Leased {
    conn: Pooled,
    _permit: ConnectionPermit,
    lane: Lane,
    _counted: Counted,
}

impl PooledTransaction {
    pub(super) fn new(conn: Pooled, permit: ConnectionPermit, lane: Lane) -> Self {
        Self {
            leased: Some(Leased {
                conn,
                _permit: permit,
                lane,
                _counted: Counted::new(),
            }),
            state: State::Ended,
        }
    }

    /// Takes the connection for a transaction; from here on its state is in doubt.
    pub(crate) fn begin(&mut self) -> &mut Conn {
        self.state = State::Open;
        self.conn()
    }

    /// Takes the connection for what is sent together with the end of the transaction.
    pub(crate) fn send_commit(&mut self) -> &mut Conn {
        self.state = State::Ending;
        self.conn()
    }

    /// All is answered: if the transaction is known to have ended, the connection may serve another
    /// tenant.
    pub(crate) fn finish(&mut self, ended: Result<(), tokio_postgres::Error>) -> Result<(), Error> {
        self.state = if ended.is_ok() {
            State::Ended
        } else {
            State::Open
        };
        Ok(ended?)
    }

    /// Closes the connection. Another has to take its place before anything else is done.
    pub(crate) fn discard(&mut self) {
        if let Some(leased) = self.leased.take() {
            leased.end(State::Open);
        }
    }

    /// Whether there is a connection, which only [`discard`](Self::discard) takes away.
    pub(crate) fn has_connection(&self) -> bool {
        self.leased.is_some()
    }

    /// Whether no transaction is open.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    #[expect(
        clippy::expect_used,
        reason = "whoever takes the connection has done with it"
    )]
    pub(crate) fn conn(&mut self) -> &mut Conn {
        &mut self.leased.as_mut().expect("held until dropped").conn
    }
}

impl Drop for PooledTransaction {
    fn drop(&mut self) {
        if let Some(leased) = self.leased.take() {
            leased.end(self.state);
        }
    }
}

impl Leased {
    /// Gives the connection back or closes it. What takes time is done by a task.
    fn end(self, state: State) {
        let is_done = self.conn.client().is_closed();
        match (state, Handle::try_current()) {
            (State::Ended, Ok(runtime)) if self.conn.is_to_be_inspected(&self.lane.limits()) => {
                drop(runtime.spawn(self.inspect()));
            }
            (State::Ended, _) => drop(self),
            (State::Ending, Ok(runtime)) if !is_done => drop(runtime.spawn(self.await_idle())),
            (State::Open, Ok(runtime)) if !is_done => drop(runtime.spawn(self.roll_back())),
            _ => self.close(),
        }
    }

    async fn inspect(mut self) {
        self.lane.inspect(&mut self.conn).await;
    }

    /// Waits until PostgreSQL is done with all that was sent, then gives the connection back.
    async fn await_idle(self) {
        let done = self.conn.client().simple_query("");
        if !matches!(tokio::time::timeout(IDLE_TIMEOUT, done).await, Ok(Ok(_))) {
            self.close();
        }
    }

    /// Waits until PostgreSQL is done with all that was sent, then closes the connection.
    async fn roll_back(self) {
        let done = self.conn.client().simple_query("ROLLBACK");
        let _ = tokio::time::timeout(IDLE_TIMEOUT, done).await;
        self.close();
    }

    fn close(self) {
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
