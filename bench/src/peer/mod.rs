//! Other systems that do the same, set up by the bench itself and measured in the same run.
//!
//! A peer is given its best configuration, and its best case where there is a choice. One that
//! cannot be set up says so in the table; it is never left out in silence.

mod django;

use serde::Serialize;

use crate::{database::Database, load::Figures, options::Options, scratch::Scratch};

/// What one peer came to.
#[derive(Debug, Serialize)]
pub(crate) struct Peer {
    /// Its parts and their versions.
    pub(crate) name: String,
    /// What was measured, or why nothing was.
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

/// What was measured of a peer, or why nothing was.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// It ran.
    Measured(Box<Measured>),
    /// It could not be set up.
    Unavailable(String),
}

/// The figures of one peer, in the same terms as the product's own.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    /// Milliseconds for a new tenant by running every migration.
    pub(crate) create_ms: f64,
    /// Milliseconds for a new tenant by cloning one that is there.
    pub(crate) clone_ms: f64,
    /// Seconds for a column and an index in every tenant.
    pub(crate) migrate_s: f64,
    /// Seconds for finding that there is nothing to do.
    pub(crate) migrate_nothing_s: f64,
    /// Memory of all its processes, shared parts counted once.
    pub(crate) memory_bytes: u64,
    pub(crate) protected: Figures,
    pub(crate) notes: Figures,
    pub(crate) token: Figures,
}

/// Measures every peer.
pub(crate) async fn measure(
    scratch: &Scratch,
    database: &Database,
    options: &Options,
) -> Vec<Peer> {
    let outcome = match django::measure(scratch, database, options).await {
        Ok(measured) => Outcome::Measured(Box::new(measured)),
        Err(error) => Outcome::Unavailable(format!("{error:#}")),
    };
    vec![Peer {
        name: django::name(),
        outcome,
    }]
}
