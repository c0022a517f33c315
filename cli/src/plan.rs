//! `tenantry plan`: what tenants may use, and which plans strangers may choose.

use std::str::FromStr;

use clap::{Args, Subcommand};
use control_plane::{Plan, PlanFields, PlanRecord};
use serde_json::json;
use service::Patched;

use crate::{
    database::Source,
    output::{Output, table},
    tenant::ACTOR,
};

/// What to do to plans.
#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List plans with their limits
    #[command(after_help = "Example: tenantry plan list")]
    List(List),
    /// Change a plan, or make one; what is not named stays as it is
    #[command(
        after_help = "Tenants on the plan follow at once, and keep what they have beyond it. A new \
                      plan needs every option but --title.\n\n\
                      Example: tenantry plan set free --max-users 20 --self-serve false"
    )]
    Set(Box<Set>),
    /// Remove a plan that no tenant is on, or ever was
    #[command(after_help = "Example: tenantry plan remove team")]
    Remove(Remove),
}

#[derive(Args)]
struct List {
    #[command(flatten)]
    source: Source,
}

#[derive(Args)]
struct Set {
    /// The plan's name
    name: String,
    /// Its title, for people
    #[arg(long)]
    title: Option<String>,
    /// Its place among the others; the first that a stranger may choose is the default
    #[arg(long)]
    position: Option<i32>,
    /// Whether a stranger may sign up on it
    #[arg(long, value_name = "BOOL")]
    self_serve: Option<bool>,
    /// Users; a number or `unlimited`, here and below
    #[arg(long)]
    max_users: Option<Limit>,
    /// OAuth clients
    #[arg(long)]
    max_clients: Option<Limit>,
    /// Notes
    #[arg(long)]
    max_notes: Option<Limit>,
    /// Requests a second, all of a tenant's together
    #[arg(long)]
    requests_per_second: Option<Limit>,
    /// Bytes stored
    #[arg(long)]
    storage_bytes: Option<Limit>,
    /// Calls of the API in a month
    #[arg(long)]
    api_calls_per_month: Option<Limit>,
    #[command(flatten)]
    source: Source,
}

#[derive(Args)]
struct Remove {
    /// The plan's name
    name: String,
    #[command(flatten)]
    source: Source,
}

/// A limit, or none.
#[derive(Clone, Copy)]
struct Limit(Option<i64>);

impl FromStr for Limit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "unlimited" => Ok(Self(None)),
            text => match text.parse() {
                Ok(limit) => Ok(Self(Some(limit))),
                Err(_) => Err("neither a number nor `unlimited`"),
            },
        }
    }
}

impl From<Limit> for Patched<i64> {
    fn from(Limit(limit): Limit) -> Self {
        limit.map_or(Self::Null, Self::Value)
    }
}

pub(crate) async fn run(options: Options, output: Output) -> anyhow::Result<()> {
    match options.action {
        Action::List(options) => list(options, output).await,
        Action::Set(options) => set(*options, output).await,
        Action::Remove(Remove { name, source }) => {
            let plane = source.control_plane().await?;
            plane.remove_plan(&name, ACTOR).await?;
            let body = json!({ "name": name, "status": "removed" });
            output.result(&body, || format!("The plan {name} is removed."))
        }
    }
}

async fn list(options: List, output: Output) -> anyhow::Result<()> {
    let plans = options.source.control_plane().await?.plans().await?;
    output.result(&json!({ "plans": plans }), || {
        let rows: Vec<[String; 9]> = plans.iter().map(row).collect();
        let heads = [
            "PLAN",
            "OPEN TO",
            "USERS",
            "CLIENTS",
            "NOTES",
            "REQUESTS/S",
            "BYTES",
            "CALLS/MONTH",
            "TENANTS",
        ];
        table(heads, &rows)
    })
}

async fn set(options: Set, output: Output) -> anyhow::Result<()> {
    let fields = PlanFields {
        title: options.title.map_or(Patched::Absent, Patched::Value),
        position: options.position.map_or(Patched::Absent, Patched::Value),
        self_serve: options.self_serve.map_or(Patched::Absent, Patched::Value),
        max_users: options.max_users.map(Patched::from).unwrap_or_default(),
        max_clients: options.max_clients.map(Patched::from).unwrap_or_default(),
        max_notes: options.max_notes.map(Patched::from).unwrap_or_default(),
        requests_per_second: options
            .requests_per_second
            .map(Patched::from)
            .unwrap_or_default(),
        storage_bytes: options.storage_bytes.map(Patched::from).unwrap_or_default(),
        api_calls_per_month: options
            .api_calls_per_month
            .map(Patched::from)
            .unwrap_or_default(),
    };
    let plane = options.source.control_plane().await?;
    let plan = plane.put_plan(&options.name, fields, ACTOR).await?;
    output.result(&plan, || {
        let open_to = open_to(&plan);
        format!("The plan {} is open to {open_to}.", plan.name)
    })
}

fn open_to(plan: &Plan) -> &'static str {
    if plan.self_serve {
        "anyone"
    } else {
        "operators"
    }
}

fn row(PlanRecord { plan, tenants }: &PlanRecord) -> [String; 9] {
    let limits = &plan.limits;
    let shown = |limit: Option<i64>| limit.map_or("unlimited".to_owned(), |max| max.to_string());
    [
        plan.name.clone(),
        open_to(plan).to_owned(),
        shown(limits.max_users),
        shown(limits.max_clients),
        shown(limits.max_notes),
        shown(limits.requests_per_second),
        shown(limits.storage_bytes),
        shown(limits.api_calls_per_month),
        tenants.to_string(),
    ]
}
