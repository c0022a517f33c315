//! Statements sent together: PostgreSQL answers them in order, and one wait covers all.
//!
//! tokio-postgres sends what a future asks for when the future is first polled, and `join`
//! polls in the order of its arguments. So the order on the wire is the order in the code.

use std::pin::pin;

use futures_util::{
    TryStreamExt,
    future::{join, join3},
};
use tokio_postgres::{Client, Row, Statement};

use super::{Params, error::Error, held::Held, sql::Sql};
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

/// A transaction of one statement: one flight, or two when the statement is new here.
///
/// A flight that holds the `COMMIT` is never in doubt: whoever gives up waiting leaves a transaction
/// that ends by itself. Only before it a connection can be left in the middle.
pub(crate) async fn alone(
    mut held: Held,
    tenant: &Tenant,
    sql: Sql,
    params: Params<'_>,
) -> Result<Outcome, Failed> {
    if let Some(statement) = held.conn().prepared(tenant.id, sql) {
        let client = held.launch().client();
        let (begun, outcome, ended) = join3(
            client.batch_execute(&tenant.prelude),
            run(client, &statement, params),
            client.batch_execute("COMMIT"),
        )
        .await;
        let outcome = begun.map_err(Error::of_prelude).and(outcome);
        return finish(&mut held, sql, outcome, ended);
    }
    let client = held.begin().client();
    let (begun, prepared) = join(
        client.batch_execute(&tenant.prelude),
        client.prepare(sql.text()),
    )
    .await;
    let prepared = begun
        .map_err(Error::of_prelude)
        .and(prepared.map_err(Error::from));
    let statement = prepared.map_err(Failed::undone)?;
    held.conn().keep(tenant.id, sql, &statement);
    let client = held.launch().client();
    let (outcome, ended) = join(
        run(client, &statement, params),
        client.batch_execute("COMMIT"),
    )
    .await;
    finish(&mut held, sql, outcome, ended)
}

/// What became of a flight that held the `COMMIT`. A refusal came before it, so that there was
/// nothing to commit; of a connection that broke nobody knows, unless nothing could be changed.
fn finish(
    held: &mut Held,
    sql: Sql,
    outcome: Result<Outcome, Error>,
    ended: Result<(), tokio_postgres::Error>,
) -> Result<Outcome, Failed> {
    let ended = held.settle(ended);
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
    held: &mut Held,
    tenant: &Tenant,
    ahead: &str,
    sql: Sql,
    params: Params<'_>,
) -> Result<Outcome, Error> {
    let conn = held.conn();
    if let Some(statement) = conn.prepared(tenant.id, sql) {
        let client = conn.client();
        let (begun, outcome) =
            join(client.batch_execute(ahead), run(client, &statement, params)).await;
        return begun.map_err(Error::of_prelude).and(outcome);
    }
    let client = conn.client();
    let (begun, prepared) = join(client.batch_execute(ahead), client.prepare(sql.text())).await;
    begun.map_err(Error::of_prelude)?;
    let statement = prepared?;
    conn.keep(tenant.id, sql, &statement);
    run(conn.client(), &statement, params).await
}

async fn run(client: &Client, statement: &Statement, params: Params<'_>) -> Result<Outcome, Error> {
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
