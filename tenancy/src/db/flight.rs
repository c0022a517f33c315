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

/// A transaction of one statement: one flight, or two when the statement is new here.
///
/// A flight that holds the `COMMIT` is never in doubt: whoever gives up waiting leaves a transaction
/// that ends by itself. Only before it a connection can be left in the middle.
pub(crate) async fn alone(
    mut held: Held,
    tenant: &Tenant,
    sql: Sql,
    params: Params<'_>,
) -> Result<Outcome, Error> {
    if let Some(statement) = held.conn().prepared(tenant.id, sql) {
        let client = held.launch().client();
        let (begun, outcome, ended) = join3(
            client.batch_execute(&tenant.prelude),
            run(client, &statement, params),
            client.batch_execute("COMMIT"),
        )
        .await;
        held.settle(ended)?;
        return Ok(begun.and(outcome)?);
    }
    let client = held.begin().client();
    let (begun, prepared) = join(
        client.batch_execute(&tenant.prelude),
        client.prepare(sql.text()),
    )
    .await;
    begun?;
    let statement = prepared?;
    held.conn().keep(tenant.id, sql, &statement);
    let client = held.launch().client();
    let (outcome, ended) = join(
        run(client, &statement, params),
        client.batch_execute("COMMIT"),
    )
    .await;
    held.settle(ended)?;
    Ok(outcome?)
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
        return Ok(begun.and(outcome)?);
    }
    let client = conn.client();
    let (begun, prepared) = join(client.batch_execute(ahead), client.prepare(sql.text())).await;
    begun?;
    let statement = prepared?;
    conn.keep(tenant.id, sql, &statement);
    Ok(run(conn.client(), &statement, params).await?)
}

async fn run(
    client: &Client,
    statement: &Statement,
    params: Params<'_>,
) -> Result<Outcome, tokio_postgres::Error> {
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
