//! Signing tenants up, timed beside its limit: the raw DDL and one hash, in turns, so that both
//! meet the same catalogue and the same disk.

use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use super::api::{Api, Tenant};
use crate::{
    database::Database,
    ddl::{self, RawCreation},
    load::{median, quiet},
    options::Options,
};

/// One raw creation and one hash for so many sign-ups.
const EVERY: u16 = 4;
/// Sign-ups at once in the concurrent row.
const AT_ONCE: usize = 4;
/// Sign-ups in the concurrent row.
const CONCURRENT: u16 = 40;
/// Notes that every tenant holds.
const NOTES: usize = 100;

/// How long sign-ups take, in milliseconds: medians.
#[derive(Debug, Serialize)]
pub(crate) struct SignUps {
    /// One after the other, answer to answer.
    pub(crate) one_by_one_ms: f64,
    /// Several at once: time by the clock for each.
    pub(crate) at_once_ms: f64,
    /// The limit's parts.
    pub(crate) raw_ddl_ms: f64,
    pub(crate) hash_ms: f64,
}

impl SignUps {
    /// What a sign-up cannot be faster than.
    pub(crate) fn limit_ms(&self) -> f64 {
        self.raw_ddl_ms + self.hash_ms
    }
}

/// Signs the tenants up, taking the time, and makes them ready for the load.
pub(crate) async fn populate(
    port: u16,
    database: &Database,
    options: &Options,
) -> anyhow::Result<(SignUps, Vec<Tenant>)> {
    let api = Api::new(port);
    quiet::settle().await?;
    let timed = one_by_one(&api, database, options.tenants).await?;
    let at_once_ms = at_once(&api, options.tenants).await?;
    let tenants = stream::iter(0..options.tenants)
        .map(|number| prepare(&api, number))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok((
        SignUps {
            at_once_ms,
            ..timed
        },
        tenants,
    ))
}

async fn one_by_one(api: &Api, database: &Database, tenants: u16) -> anyhow::Result<SignUps> {
    let mut raw = RawCreation::new(database).await?;
    let (mut ours, mut ddl, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..tenants {
        let started = Instant::now();
        api.sign_up(&slug(number)).await?;
        ours.push(started.elapsed());
        if number % EVERY == 0 {
            ddl.push(raw.create().await?);
            hashes.push(ddl::hash_once()?);
        }
    }
    raw.clean(database).await?;
    Ok(SignUps {
        one_by_one_ms: middle(&ours)?,
        at_once_ms: 0.0,
        raw_ddl_ms: middle(&ddl)?,
        hash_ms: middle(&hashes)?,
    })
}

async fn at_once(api: &Api, first: u16) -> anyhow::Result<f64> {
    let started = Instant::now();
    stream::iter(first..first + CONCURRENT)
        .map(|number| sign_up(api, number))
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    Ok(milliseconds(started.elapsed()) / f64::from(CONCURRENT))
}

async fn sign_up(api: &Api, number: u16) -> anyhow::Result<()> {
    api.sign_up(&slug(number)).await
}

async fn prepare(api: &Api, number: u16) -> anyhow::Result<Tenant> {
    api.prepare(&slug(number), NOTES).await
}

fn slug(number: u16) -> String {
    format!("bench-{number:04}")
}

fn middle(times: &[Duration]) -> anyhow::Result<f64> {
    median(times.iter().copied().map(milliseconds)).context("nothing was timed")
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
