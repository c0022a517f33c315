//! Plans: what tenants on them may use, and which of them a stranger may choose.

use serde::Serialize;
use tenancy::Sql;
use tokio_postgres::Row;
use utoipa::ToSchema;

use super::{
    Store,
    events::{self, Change},
    tx::Tx,
};
use crate::error::Error;

macro_rules! columns {
    () => {
        "p.name, coalesce(p.title, initcap(p.name)) AS title, p.position, p.self_serve, \
         p.max_users::bigint, p.max_clients::bigint, p.max_notes::bigint, \
         p.requests_per_second::bigint, p.storage_bytes, p.api_calls_per_month"
    };
}

tenancy::statements! {
    PLANS = concat!("SELECT ", columns!(), " FROM platform.plans p ORDER BY p.position, p.name");
    PLANS_IN_USE = concat!(
        "SELECT ", columns!(), ", (SELECT count(*) FROM platform.tenants t ",
        "WHERE t.plan = p.name AND t.status <> 'purged') AS tenants ",
        "FROM platform.plans p ORDER BY p.position, p.name"
    );
    LOCK = concat!(
        "SELECT ", columns!(), " FROM platform.plans p WHERE p.name = $1 FOR NO KEY UPDATE"
    );
    // Nobody is put on a plan whose row is locked so: a foreign key wants to share it.
    LOCK_TO_REMOVE = "SELECT 1 FROM platform.plans WHERE name = $1 FOR UPDATE";
    COUNT = "SELECT count(*) FROM platform.tenants WHERE plan = $1";
    INSERT = "INSERT INTO platform.plans (name, title, position, self_serve, max_users, \
        max_clients, max_notes, requests_per_second, storage_bytes, api_calls_per_month) \
        VALUES ($1, $2, $3, $4, $5::bigint, $6::bigint, $7::bigint, $8::bigint, $9, $10)";
    UPDATE = "UPDATE platform.plans SET title = $2, position = $3, self_serve = $4, \
        max_users = $5::bigint, max_clients = $6::bigint, max_notes = $7::bigint, \
        requests_per_second = $8::bigint, \
        storage_bytes = $9, api_calls_per_month = $10 WHERE name = $1";
    DELETE = "DELETE FROM platform.plans WHERE name = $1";
}

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Plan {
    /// What requests name it by.
    pub name: String,
    /// For people.
    pub title: String,
    /// Plans are listed in this order; the first that an applicant may choose is the default.
    pub position: i32,
    /// Whether a stranger may sign up on it; operators may put a tenant on any.
    pub self_serve: bool,
    /// What a tenant on it may use.
    #[serde(flatten)]
    pub limits: Limits,
}

/// What a tenant may use; `null` is unlimited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Limits {
    /// Users.
    pub max_users: Option<i64>,
    /// OAuth clients.
    pub max_clients: Option<i64>,
    /// Notes.
    pub max_notes: Option<i64>,
    /// Requests a second, all of the tenant's together.
    pub requests_per_second: Option<i64>,
    /// Bytes stored.
    pub storage_bytes: Option<i64>,
    /// Calls of the API in a month.
    pub api_calls_per_month: Option<i64>,
}

/// A plan, as an operator sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PlanRecord {
    /// The plan.
    #[serde(flatten)]
    pub plan: Plan,
    /// How many tenants are on it.
    pub tenants: i64,
}

impl Store {
    /// Every plan, in the operator's order.
    pub(crate) async fn plans(&self) -> Result<Vec<Plan>, Error> {
        self.query(PLANS, &[]).await?.iter().map(read).collect()
    }

    /// Every plan, and how many tenants are on each.
    pub(crate) async fn plans_in_use(&self) -> Result<Vec<PlanRecord>, Error> {
        let rows = self.query(PLANS_IN_USE, &[]).await?;
        let record = |row: &Row| {
            Ok(PlanRecord {
                plan: read(row)?,
                tenants: row.try_get("tenants")?,
            })
        };
        rows.iter().map(record).collect()
    }

    /// Keeps what `decide` makes of a plan, or of there being none, and records it. A plan that
    /// stays as it is is not written.
    ///
    /// # Errors
    /// What `decide` says; `Taken` when somebody makes a plan of that name at the same moment.
    pub(crate) async fn put_plan<'a>(
        &self,
        name: &str,
        decide: impl FnOnce(Option<&Plan>) -> Result<Plan, Error> + Send,
        audit_entry: impl FnOnce(Option<&Plan>, &Plan) -> Change<'a> + Send,
    ) -> Result<Plan, Error> {
        let tx = self.begin().await?;
        tx.begin().await?;
        let outcome = async {
            let before = lock(&tx, name).await?;
            let after = decide(before.as_ref())?;
            if before.as_ref() != Some(&after) {
                let sql = if before.is_some() { UPDATE } else { INSERT };
                write(&tx, sql, &after).await?;
                events::record_of_platform(&tx, &audit_entry(before.as_ref(), &after)).await?;
            }
            Ok(after)
        }
        .await;
        tx.end(outcome).await
    }

    /// Removes a plan that no tenant is or was on, and records it.
    ///
    /// # Errors
    /// `NoPlan`, `PlanInUse`.
    pub(crate) async fn remove_plan(&self, name: &str, change: &Change<'_>) -> Result<(), Error> {
        let tx = self.begin().await?;
        tx.begin().await?;
        let outcome = async {
            if tx.query(LOCK_TO_REMOVE, &[&name]).await?.is_empty() {
                return Err(Error::NoPlan(name.to_owned()));
            }
            let rows = tx.query(COUNT, &[&name]).await?;
            let tenants: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
            if tenants > 0 {
                let plan = name.to_owned();
                return Err(Error::PlanInUse { plan, tenants });
            }
            tx.execute(DELETE, &[&name]).await?;
            events::record_of_platform(&tx, change).await
        }
        .await;
        tx.end(outcome).await
    }
}

/// Locks a plan's row until the transaction ends, if there is one. Sign-ups wait for what becomes
/// of it.
async fn lock(tx: &Tx, name: &str) -> Result<Option<Plan>, Error> {
    tx.query(LOCK, &[&name])
        .await?
        .first()
        .map(read)
        .transpose()
}

async fn write(tx: &Tx, sql: Sql, plan: &Plan) -> Result<(), Error> {
    let Limits {
        max_users,
        max_clients,
        max_notes,
        requests_per_second,
        storage_bytes,
        api_calls_per_month,
    } = &plan.limits;
    let written = tx
        .execute(
            sql,
            &[
                &plan.name,
                &plan.title,
                &plan.position,
                &plan.self_serve,
                max_users,
                max_clients,
                max_notes,
                requests_per_second,
                storage_bytes,
                api_calls_per_month,
            ],
        )
        .await;
    match written {
        Err(error) if error.unique_violation() == Some("plans_pkey") => {
            Err(Error::Taken { field: "name" })
        }
        outcome => Ok(outcome.map(drop)?),
    }
}

fn read(row: &Row) -> Result<Plan, Error> {
    Ok(Plan {
        name: row.try_get("name")?,
        title: row.try_get("title")?,
        position: row.try_get("position")?,
        self_serve: row.try_get("self_serve")?,
        limits: Limits {
            max_users: row.try_get("max_users")?,
            max_clients: row.try_get("max_clients")?,
            max_notes: row.try_get("max_notes")?,
            requests_per_second: row.try_get("requests_per_second")?,
            storage_bytes: row.try_get("storage_bytes")?,
            api_calls_per_month: row.try_get("api_calls_per_month")?,
        },
    })
}
