//! One statement and what belongs around it, sent together: PostgreSQL answers in order, and one
//! wait covers all.
//!
//! tokio-postgres sends what a future asks for when the future is first polled, and `join`
//! polls in the order of its arguments. So the order on the wire is the order in the code.

use std::pin::pin;

use futures_util::{
    TryStreamExt,
    future::{join, join3},
};
use tokio_postgres::{Client, Row, Statement};

use super::{Params, conn::Conn, error::Error, pooled::PooledTransaction, sql::Sql};
use crate::tenant::Tenant;

/// What a statement yielded.
pub(crate) struct Outcome {
    pub(crate) rows: Vec<Row>,
    pub(crate) affected: u64,
}

/// Why a transaction of one statement has no result.
pub(crate) struct Failed {
    pub(crate) cause: Error,
    /// Whether it is known that nothing was done.
    pub(crate) undone: bool,
}

impl Failed {
    /// Before anything was sent that changes rows.
    pub(crate) fn undone(cause: Error) -> Self {
        Self {
            cause,
            undone: true,
        }
    }
}

/// A transaction of one statement: one round trip, or two when the statement is new here.
///
/// Once the `COMMIT` is sent the transaction is never in doubt: whoever gives up waiting leaves one
/// that ends by itself. Only before it a connection can be left in the middle.
pub(crate) async fn in_own_transaction(
    mut pooled: PooledTransaction,
    tenant: &Tenant,
    sql: Sql,
    params: Params<'_>,
) -> Result<Outcome, Failed> {
    if let Some(statement) = pooled.conn().prepared(tenant.id, sql) {
        let client = pooled.send_commit().client();
        let (begun, outcome, ended) = join3(
            client.batch_execute(&tenant.prelude),
            run(client, &statement, params),
            client.batch_execute("COMMIT"),
        )
        .await;
        let outcome = begun.map_err(Error::of_prelude).and(outcome);
        let finished = finish(&mut pooled, tenant, sql, outcome, ended);
        match finished {
            Err(failed) if failed.cause.is_outdated_statement() && pooled.has_ended() => (),
            finished => return finished,
        }
    }
    let client = pooled.begin().client();
    let (begun, prepared) = join(
        client.batch_execute(&tenant.prelude),
        client.prepare(sql.text()),
    )
    .await;
    let prepared = begun
        .map_err(Error::of_prelude)
        .and(prepared.map_err(Error::from));
    let statement = match prepared {
        Ok(statement) => statement,
        // A table that is locked is met here. The next tenant would wait for another connection.
        Err(cause) => {
            let ended = pooled
                .send_commit()
                .client()
                .batch_execute("ROLLBACK")
                .await;
            // What failed first says more.
            let _ = pooled.finish(ended);
            return Err(Failed::undone(cause));
        }
    };
    pooled.conn().keep(tenant, sql, &statement);
    let client = pooled.send_commit().client();
    let (outcome, ended) = join(
        run(client, &statement, params),
        client.batch_execute("COMMIT"),
    )
    .await;
    finish(&mut pooled, tenant, sql, outcome, ended)
}

/// What became of a statement with its `COMMIT`. A refusal came before it, so that there was nothing
/// to commit; of a connection that broke nobody knows, unless nothing could be changed.
fn finish(
    pooled: &mut PooledTransaction,
    tenant: &Tenant,
    sql: Sql,
    outcome: Result<Outcome, Error>,
    ended: Result<(), tokio_postgres::Error>,
) -> Result<Outcome, Failed> {
    let ended = pooled.finish(ended);
    forget_doubtful(pooled.conn(), tenant, &outcome);
    match (outcome, ended) {
        (Ok(outcome), Ok(())) => Ok(outcome),
        (Err(cause), _) => Err(Failed {
            undone: cause.is_refusal() || sql.only_reads(),
            cause,
        }),
        (Ok(_), Err(cause)) => Err(Failed {
            undone: sql.only_reads(),
            cause,
        }),
    }
}

/// A statement inside a transaction, with what must come before it sent ahead.
pub(crate) async fn within(
    conn: &mut Conn,
    tenant: &Tenant,
    ahead: &str,
    sql: Sql,
    params: Params<'_>,
) -> Result<Outcome, Error> {
    if let Some(statement) = conn.prepared(tenant.id, sql) {
        let client = conn.client();
        let (begun, outcome) =
            join(client.batch_execute(ahead), run(client, &statement, params)).await;
        let outcome = begun.map_err(Error::of_prelude).and(outcome);
        forget_doubtful(conn, tenant, &outcome);
        return outcome;
    }
    let client = conn.client();
    let (begun, prepared) = join(client.batch_execute(ahead), client.prepare(sql.text())).await;
    begun.map_err(Error::of_prelude)?;
    let statement = prepared?;
    conn.keep(tenant, sql, &statement);
    run(conn.client(), &statement, params).await
}

/// After an error that may be a prepared statement's fault, all of the tenant's are prepared anew:
/// whatever outdated one has outdated others.
fn forget_doubtful(conn: &mut Conn, tenant: &Tenant, outcome: &Result<Outcome, Error>) {
    if outcome.as_ref().is_err_and(Error::doubts_statement) {
        conn.forget(tenant.id);
    }
}

/// Runs a prepared statement; all of its rows.
pub(crate) async fn run(
    client: &Client,
    statement: &Statement,
    params: Params<'_>,
) -> Result<Outcome, Error> {
    let mut stream = pin!(client.query_raw(statement, params.iter().copied()).await?);
    let mut rows = Vec::new();
    while let Some(row) = stream.try_next().await? {
        rows.push(row);
    }
    Ok(Outcome {
        rows,
        affected: stream.rows_affected().unwrap_or(0),
    })
}
