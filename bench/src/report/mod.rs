//! What was measured, what it is worth beside its limit, and whether that is enough.

mod grid;
mod table;
#[cfg(test)]
mod tests;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{
    attack::{Attacked, sign_in::Crowded},
    memory::Resident,
    peer::Peer,
    product::SignUps,
    rows::{Kind, Measured},
};

/// Memory that one hash takes while it runs (argon2id, 19 MiB).
const HASHING_BUFFER: u64 = 19 << 20;
/// A sign-up may take this many times its limit.
const SIGN_UP_AT_MOST: f64 = 1.5;
/// The product's one process may hold this many megabytes, hashing buffers aside.
const MEMORY_AT_MOST: f64 = 60.0;

/// Everything that one run came to.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) tenants: u16,
    pub(crate) quick: bool,
    pub(crate) rows: Vec<Measured>,
    pub(crate) attacked: Vec<Attacked>,
    pub(crate) crowded: Vec<Crowded>,
    pub(crate) sign_ups: SignUps,
    pub(crate) memory: Memory,
    /// Seconds for a column and an index in as many tenants as the peer has, by raw DDL.
    pub(crate) migrate_s: f64,
    pub(crate) peers: Vec<Peer>,
}

/// Who holds how much memory after the run.
#[derive(Debug, Serialize)]
pub(crate) struct Memory {
    pub(crate) product: Resident,
    pub(crate) limit_server: Resident,
    /// Private memory of each backend of the data plane's login, in bytes.
    pub(crate) backends: Vec<u64>,
}

/// Something stated, and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Check {
    pub(crate) value: f64,
    pub(crate) bound: Bound,
}

/// Where a value has to lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Check {
    /// Whether the value lies where it has to.
    pub(crate) fn met(&self) -> bool {
        match self.bound {
            Bound::AtLeast(bound) => self.value >= bound,
            Bound::AtMost(bound) => self.value <= bound,
        }
    }
}

impl Report {
    /// Whether every target that was measured is met and every row is valid.
    pub(crate) fn good(&self) -> bool {
        let rows = self
            .rows
            .iter()
            .all(|row| !row.invalid() && self.load(row).is_none_or(|c| c.met()));
        let attacked = |row: &Attacked| row.failed() == 0 && attack(row).met();
        let attacked = self.attacked.iter().all(attacked);
        let crowded = |row: &Crowded| row.failed() == 0 && crowd(row).met();
        let attacked = attacked && self.crowded.iter().all(crowded);
        rows && attacked && self.sign_up().met() && self.resident().met()
    }

    /// A row of the product beside the best row of its limit. A goal whose row or limit has no
    /// valid figures is not met by silence: such a row is invalid in itself.
    fn load(&self, row: &Measured) -> Option<Check> {
        let goal = row.goal?;
        let limit = self
            .rows
            .iter()
            .filter(|limit| limit.kind == goal.against)
            .filter(|limit| limit.mix == row.mix || limit.kind == Kind::Static)
            .filter_map(|limit| Some(limit.valid(goal.nginx)?.per_second))
            .max_by(f64::total_cmp)?;
        let value = row.valid(goal.nginx)?.per_second / limit;
        Some(Check {
            value,
            bound: Bound::AtLeast(goal.at_least),
        })
    }

    fn sign_up(&self) -> Check {
        let value = self.sign_ups.one_by_one_ms / self.sign_ups.limit_ms();
        Check {
            value,
            bound: Bound::AtMost(SIGN_UP_AT_MOST),
        }
    }

    /// Whether an allocator gives hashing buffers back is its own affair, so the bound allows for
    /// one per thread that hashes instead of guessing how many are held.
    fn resident(&self) -> Check {
        let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        let bound = MEMORY_AT_MOST + megabytes(threads * HASHING_BUFFER).round();
        Check {
            value: megabytes(self.memory.product.now),
            bound: Bound::AtMost(bound),
        }
    }
}

/// A client's slowest hundredth under attack beside the same in peace.
fn attack(row: &Attacked) -> Check {
    Check {
        value: row.ratio(),
        bound: Bound::AtMost(row.at_most),
    }
}

/// The slowest hundredth of sign-ins beside a crowd, in milliseconds.
fn crowd(row: &Crowded) -> Check {
    Check {
        value: row.under.p99_us / 1e3,
        bound: Bound::AtMost(row.at_most_ms()),
    }
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Row<'a> {
            #[serde(flatten)]
            measured: &'a Measured,
            check: Option<Check>,
        }
        let rows: Vec<Row<'_>> = self
            .rows
            .iter()
            .map(|measured| Row {
                measured,
                check: self.load(measured),
            })
            .collect();
        #[derive(Serialize)]
        struct UnderAttack<'a> {
            #[serde(flatten)]
            measured: &'a Attacked,
            check: Check,
        }
        let attacked = self.attacked.iter().map(|measured| UnderAttack {
            measured,
            check: attack(measured),
        });
        #[derive(Serialize)]
        struct BesideCrowd<'a> {
            #[serde(flatten)]
            measured: &'a Crowded,
            check: Check,
        }
        let crowded = self.crowded.iter().map(|measured| BesideCrowd {
            measured,
            check: crowd(measured),
        });
        let mut report = serializer.serialize_struct("Report", 12)?;
        report.serialize_field("good", &self.good())?;
        report.serialize_field("quick", &self.quick)?;
        report.serialize_field("tenants", &self.tenants)?;
        report.serialize_field("rows", &rows)?;
        report.serialize_field("attacked", &attacked.collect::<Vec<_>>())?;
        report.serialize_field("crowded", &crowded.collect::<Vec<_>>())?;
        report.serialize_field("sign_ups", &self.sign_ups)?;
        report.serialize_field("sign_up_check", &self.sign_up())?;
        report.serialize_field("memory", &self.memory)?;
        report.serialize_field("memory_check", &self.resident())?;
        report.serialize_field("raw_migrate_s", &self.migrate_s)?;
        report.serialize_field("peers", &self.peers)?;
        report.end()
    }
}
