//! A connection made ready before it takes another's place: the list of its login's roles is read,
//! and what its predecessor used last is prepared.

use tokio_postgres::Error;

use super::conn::{Conn, ConnManager, Recent};

/// A new connection on which these statements are prepared. What cannot be prepared any more, of a
/// tenant that is gone perhaps, is left out.
pub(super) async fn connect(manager: &ConnManager, recent: &[Recent]) -> Result<Conn, Error> {
    let mut conn = manager.connect().await?;
    // Those used last come last, so that they are the last to be forgotten.
    for statements in recent.chunk_by(|a, b| a.tenant == b.tenant).rev() {
        prepare(&mut conn, statements).await?;
    }
    Ok(conn)
}

/// Prepares statements of one tenant, in a transaction that changes nothing.
async fn prepare(conn: &mut Conn, statements: &[Recent]) -> Result<(), Error> {
    let Some(first) = statements.first() else {
        return Ok(());
    };
    if conn.client().batch_execute(&first.prelude).await.is_ok() {
        for recent in statements {
            match conn.client().prepare(recent.sql.text()).await {
                Ok(statement) => conn.keep_recent(recent.clone(), statement),
                Err(_) => break,
            }
        }
    }
    conn.client().batch_execute("ROLLBACK").await
}
