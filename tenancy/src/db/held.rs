//! A connection in use, thrown away on doubt.

use deadpool::managed::Object;

use super::conn::{Conn, Pooled};

/// Holds a connection. Between [`begin`](Held::begin) and [`settle`](Held::settle) its state is
/// in doubt, and dropping it (an error, a time limit, a client that hung up) closes it.
pub(crate) struct Held {
    conn: Option<Pooled>,
    in_doubt: bool,
}

impl Held {
    pub(crate) fn new(conn: Pooled) -> Self {
        metrics::gauge!("tenant_connections_in_use").increment(1.0);
        Self {
            conn: Some(conn),
            in_doubt: false,
        }
    }

    /// Takes the connection for a transaction; from here on its state is in doubt.
    pub(crate) fn begin(&mut self) -> &mut Conn {
        self.in_doubt = true;
        self.conn()
    }

    /// The transaction is known to have ended: the connection may serve another tenant.
    pub(crate) fn settle(&mut self) {
        self.in_doubt = false;
    }

    #[expect(clippy::expect_used, reason = "only drop takes the connection")]
    pub(crate) fn conn(&mut self) -> &mut Conn {
        self.conn.as_mut().expect("held until dropped")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        metrics::gauge!("tenant_connections_in_use").decrement(1.0);
        if let Some(conn) = self.conn.take()
            && self.in_doubt
        {
            metrics::counter!("tenant_connections_discarded_total").increment(1);
            drop(Object::take(conn));
        }
    }
}
