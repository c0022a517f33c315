//! The rows of load: what is sent where, what it is compared with, and taking turns at measuring.

use serde::Serialize;

use crate::{
    attack,
    load::{self, Figures, Judge, Load, Mix, Request, Traffic, Window},
    options::Options,
    product::{Tenant, requests},
    scratch::Scratch,
};

/// What a row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Limit: a constant answer.
    Static,
    /// Limit: one row by its key in a single schema.
    Key,
    /// Limit: a page of notes with role and path asserted in the transaction, in one flight.
    TenantSafe,
    /// The product.
    Product,
}

/// What a row of the product has to reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Goal {
    /// The best row of this kind is the limit.
    pub(crate) against: Kind,
    /// Whether both are taken through nginx.
    pub(crate) nginx: bool,
    /// Share of the limit.
    pub(crate) at_least: f64,
}

/// Where a server is reached.
#[derive(Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) direct: u16,
    pub(crate) nginx: u16,
}

/// A row that is to be measured.
pub(crate) struct Row {
    name: &'static str,
    kind: Kind,
    mix: Mix,
    goal: Option<Goal>,
    good: Judge,
    ports: Ports,
    load: Load,
}

/// A row that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) mix: Mix,
    pub(crate) goal: Option<Goal>,
    /// Why there are no figures.
    pub(crate) fault: Option<String>,
    pub(crate) direct: Option<Figures>,
    pub(crate) nginx: Option<Figures>,
}

impl Measured {
    /// Figures that count: those of a row in which every request succeeded.
    pub(crate) fn valid(&self, nginx: bool) -> Option<&Figures> {
        let figures = if nginx { &self.nginx } else { &self.direct };
        figures.as_ref().filter(|figures| figures.failed == 0)
    }

    /// Whether any request of the row failed.
    pub(crate) fn invalid(&self) -> bool {
        self.fault.is_some() || self.valid(false).is_none() || self.valid(true).is_none()
    }
}

const PROTECTED: Goal = Goal {
    against: Kind::Static,
    nginx: true,
    at_least: 0.7,
};
const NOTES: Goal = Goal {
    against: Kind::TenantSafe,
    nginx: false,
    at_least: 0.9,
};

/// What rows can be asked for by name.
const NAMES: [&str; 9] = [
    "static",
    "key",
    "notes, shared plan",
    "notes, plan per tenant",
    "notes, shared plan, lanes",
    "notes, plan per tenant, lanes",
    "protected",
    "notes",
    "token",
];

/// Part of a row's name, as given on the command line.
pub(crate) fn known(part: &str) -> Result<String, String> {
    let under_load = attack::NAMES.iter().chain(&attack::locks::NAMES);
    let under_load = under_load.chain(&attack::sign_in::NAMES);
    let mut names = NAMES.iter().chain(under_load).copied();
    if names.clone().any(|name| name.contains(part)) {
        return Ok(part.to_owned());
    }
    let names: Vec<&str> = names.by_ref().collect();
    Err(format!("the rows are: {}", names.join("; ")))
}

/// The rows that were asked for, and those they are compared with.
pub(crate) fn plan(
    scratch: &Scratch,
    limits: Ports,
    product: Ports,
    tenants: &[Tenant],
    only: &[String],
) -> anyhow::Result<Vec<Row>> {
    let builder = Builder {
        scratch,
        tenants,
        limits,
        product,
    };
    let mut rows = vec![
        builder.limit(
            "static",
            "/static",
            Kind::Static,
            Mix::Uniform,
            load::object,
        )?,
        builder.limit("key", "/key", Kind::Key, Mix::Uniform, load::object)?,
    ];
    for mix in [Mix::Uniform, Mix::Zipf] {
        for (name, path) in [
            ("notes, shared plan", "/shared"),
            ("notes, plan per tenant", "/own"),
            ("notes, shared plan, lanes", "/shared-lanes"),
            ("notes, plan per tenant, lanes", "/own-lanes"),
        ] {
            rows.push(builder.limit(name, path, Kind::TenantSafe, mix, load::page)?);
        }
        let row = builder.product(
            "protected",
            mix,
            Some(PROTECTED),
            requests::protected,
            load::object,
        )?;
        rows.push(row);
        rows.push(builder.product("notes", mix, Some(NOTES), requests::notes, load::page)?);
    }
    let token = requests::token;
    rows.push(builder.product("token", Mix::Uniform, None, token, load::token)?);
    let wanted: Vec<bool> = rows.iter().map(|row| wanted(row, &rows, only)).collect();
    let mut wanted = wanted.into_iter();
    rows.retain(|_| wanted.next().unwrap_or_default());
    Ok(rows)
}

fn wanted(row: &Row, rows: &[Row], only: &[String]) -> bool {
    let named = |row: &Row| only.is_empty() || only.iter().any(|part| row.name.contains(part));
    let limits = |other: &Row| {
        other.goal.is_some_and(|goal| goal.against == row.kind)
            && (other.mix == row.mix || row.kind == Kind::Static)
    };
    named(row) || rows.iter().any(|other| named(other) && limits(other))
}

struct Builder<'a> {
    scratch: &'a Scratch,
    tenants: &'a [Tenant],
    limits: Ports,
    product: Ports,
}

impl Builder<'_> {
    fn limit(
        &self,
        name: &'static str,
        path: &'static str,
        kind: Kind,
        mix: Mix,
        good: Judge,
    ) -> anyhow::Result<Row> {
        // The same headers as the product gets, whether they are looked at or not.
        let request = |tenant: &Tenant| {
            let model = requests::protected(tenant);
            Request {
                path: path.to_owned(),
                ..model
            }
        };
        let load = self.load(&path[1..], mix, request)?;
        Ok(Row {
            name,
            kind,
            mix,
            goal: None,
            good,
            ports: self.limits,
            load,
        })
    }

    fn product(
        &self,
        name: &'static str,
        mix: Mix,
        goal: Option<Goal>,
        request: fn(&Tenant) -> Request,
        good: Judge,
    ) -> anyhow::Result<Row> {
        let load = self.load(&format!("product-{name}"), mix, request)?;
        Ok(Row {
            name,
            kind: Kind::Product,
            mix,
            goal,
            good,
            ports: self.product,
            load,
        })
    }

    fn load(
        &self,
        name: &str,
        mix: Mix,
        request: impl Fn(&Tenant) -> Request,
    ) -> anyhow::Result<Load> {
        let requests = self.tenants.iter().map(request).collect();
        let name = format!("{name}-{}", mix.name());
        Load::new(self.scratch, &name, &Traffic { requests, mix })
    }
}

/// Measures every row directly and through nginx, one window at a time in turns, so that whatever
/// slows the machine for a while slows them all.
pub(crate) async fn measure(rows: &[Row], options: &Options) -> anyhow::Result<Vec<Measured>> {
    let mut faults = Vec::with_capacity(rows.len());
    for row in rows {
        faults.push(warm_up(row).await.err().map(|error| format!("{error:#}")));
    }
    let mut taken: Vec<[Vec<Window>; 2]> = rows.iter().map(|_| [const { Vec::new() }; 2]).collect();
    for round in 1..=options.rounds() {
        eprintln!(
            "bench: round {round} of {}, {} rows",
            options.rounds(),
            rows.len()
        );
        for ((row, fault), [direct, nginx]) in rows.iter().zip(&faults).zip(&mut taken) {
            if fault.is_none() {
                direct.push(row.load.window(row.ports.direct, options).await?);
                nginx.push(row.load.window(row.ports.nginx, options).await?);
            }
        }
    }
    Ok(rows
        .iter()
        .zip(faults)
        .zip(taken)
        .map(|((row, fault), [direct, nginx])| Measured {
            name: row.name,
            kind: row.kind,
            mix: row.mix,
            goal: row.goal,
            fault,
            direct: Figures::of(&direct),
            nginx: Figures::of(&nginx),
        })
        .collect())
}

/// Looks at an answer both ways, and lets connections, caches and plans be made.
async fn warm_up(row: &Row) -> anyhow::Result<()> {
    row.load.try_once(row.ports.direct, row.good).await?;
    row.load.try_once(row.ports.nginx, row.good).await?;
    row.load.warm_up(row.ports.direct).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(only: &[&str]) -> Vec<(&'static str, Mix)> {
        let scratch = Scratch::new().unwrap();
        let ports = Ports {
            direct: 1,
            nginx: 2,
        };
        let tenant = Tenant {
            slug: "acme".into(),
            client_id: "id".into(),
            client_secret: "secret".into(),
            token: "token".into(),
        };
        let only: Vec<String> = only.iter().map(|&name| name.to_owned()).collect();
        let rows = plan(&scratch, ports, ports, &[tenant], &only).unwrap();
        rows.iter().map(|row| (row.name, row.mix)).collect()
    }

    #[test]
    fn a_chosen_row_brings_along_what_it_is_compared_with() {
        assert_eq!(
            names(&["protected"]),
            [
                ("static", Mix::Uniform),
                ("protected", Mix::Uniform),
                ("protected", Mix::Zipf)
            ]
        );
        assert_eq!(names(&["token"]), [("token", Mix::Uniform)]);
    }

    #[test]
    fn every_row_can_be_asked_for_and_no_other() {
        for (name, _) in names(&[]) {
            assert!(NAMES.contains(&name), "{name}");
        }
        assert!(known("prot").is_ok() && known("nonsense").is_err());
    }

    #[test]
    fn everything_is_measured_unless_something_is_chosen() {
        assert_eq!(names(&[]).len(), 15);
    }
}
