//! Requests put into an order: they stop at a row that the test has locked, in the order in which
//! they were sent, and go on in that order when it is released.

use tokio_postgres::Client;

use crate::{TestApp, database::connect, wait::until};

/// Rows of a tenant that the test has locked.
pub struct Held {
    client: Client,
    /// Within one transaction PostgreSQL shows the sessions of its beginning.
    observer: Client,
}

impl Held {
    /// Locks the rows that a statement locks in a tenant's schema.
    pub async fn lock(app: &TestApp, slug: &str, sql: &str) -> Self {
        let client = connect(&app.database.admin()).await.unwrap();
        let schema = format!("tenant_{}", slug.replace('-', "_"));
        client
            .batch_execute(&format!("BEGIN; SET LOCAL search_path TO {schema}; {sql}"))
            .await
            .unwrap();
        let observer = connect(&app.database.admin()).await.unwrap();
        Self { client, observer }
    }

    /// Waits until so many sessions of the database wait for a lock.
    pub async fn waiters(&self, count: i64) {
        let sql = "SELECT count(*) FROM pg_catalog.pg_stat_activity \
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
        until(&format!("{count} waiting requests"), async || {
            let waiting: i64 = self.observer.query_one(sql, &[]).await.unwrap().get(0);
            waiting >= count
        })
        .await;
    }

    /// Lets them go on.
    pub async fn release(self) {
        self.client.batch_execute("COMMIT").await.unwrap();
    }
}
