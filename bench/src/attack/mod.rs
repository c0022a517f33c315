//! What others notice of an attack on the gateway, and of tenants that hammer.
//!
//! The gateway is the real one: its configuration is made by docker/nginx/configure, with the
//! limits at their defaults, in front of the product. A modest client sends at a fixed rate, whatever
//! the answers do; its 99th percentile in peace is compared with the same beside the attackers. They
//! are processes of their own, but on the same cores: their own work is part of what it notices.

mod dawdle;
mod gateway;
mod hammer;
pub(crate) mod locks;
mod modest;
pub(crate) mod sign_in;
mod wire;

use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::future::try_join_all;
use serde::Serialize;
use tokio::process::Command;

pub(crate) use dawdle::Dawdle;
pub(crate) use hammer::Hammer;

use self::{gateway::Gateway, modest::Modest};
use crate::{
    load::{Figures, Request, Window, quiet},
    options::Options,
    process::{self, Service},
    product::{Tenant, requests},
    scratch::Scratch,
};

/// What can be asked for by name.
pub(crate) const NAMES: [&str; 3] = ["slowloris", "fairness, protected", "fairness, notes"];

/// Connections that send their request by the byte.
const SLOW: usize = 2000;
/// Tenants that hammer, and the connections of each, every one from an address of its own so that
/// the tenant's limit is what holds them.
const HAMMERING: usize = 4;
const HAMMERS: u8 = 32;
/// For attackers to be under way before a window, and after its end.
const LEAD: Duration = Duration::from_secs(1);

/// A row of this section.
#[derive(Debug, Serialize)]
pub(crate) struct Attacked {
    pub(crate) name: &'static str,
    /// The modest client in peace.
    pub(crate) idle: Figures,
    /// The same beside the attackers.
    pub(crate) under: Figures,
    /// How many times as long the slowest hundredth may take.
    pub(crate) at_most: f64,
    /// What the attackers managed.
    pub(crate) attack: String,
}

impl Attacked {
    /// Of the windows in peace and beside the attackers.
    fn new(
        name: &'static str,
        windows: [&[Window]; 2],
        at_most: f64,
        attack: String,
    ) -> anyhow::Result<Self> {
        let [idle, under] = windows.map(|windows| Figures::of(windows).context("no window"));
        Ok(Self {
            name,
            idle: idle?,
            under: under?,
            at_most,
            attack,
        })
    }

    /// Whether any of the modest client's requests failed.
    pub(crate) fn failed(&self) -> u64 {
        self.idle.failed + self.under.failed
    }

    /// How many times as long the slowest hundredth took.
    pub(crate) fn ratio(&self) -> f64 {
        self.under.p99_us / self.idle.p99_us
    }
}

/// Measures the rows that were asked for, in peace and under attack in turns.
pub(crate) async fn measure(
    scratch: &Scratch,
    port: u16,
    tenants: &[Tenant],
    options: &Options,
) -> anyhow::Result<Vec<Attacked>> {
    let wanted = |name: &&str| {
        options.only.is_empty() || options.only.iter().any(|part| name.contains(part.as_str()))
    };
    let names: Vec<&str> = NAMES.into_iter().filter(wanted).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    ensure!(
        tenants.len() > HAMMERING,
        "attacks need {} tenants (--tenants)",
        HAMMERING + 1
    );
    let gateway = Gateway::start(scratch, port).await?;
    let mut rows = Vec::new();
    for name in names {
        let mut stage = Stage {
            gateway: &gateway,
            scratch,
            tenants,
            options,
            model: if name.ends_with("notes") {
                requests::notes
            } else {
                requests::protected
            },
        };
        rows.push(stage.row(name).await?);
    }
    Ok(rows)
}

struct Stage<'a> {
    gateway: &'a Gateway,
    scratch: &'a Scratch,
    tenants: &'a [Tenant],
    options: &'a Options,
    model: fn(&Tenant) -> Request,
}

impl Stage<'_> {
    async fn row(&mut self, name: &'static str) -> anyhow::Result<Attacked> {
        let request = (self.model)(&self.tenants[HAMMERING]);
        let modest = Modest::new(self.gateway.port, &[request]);
        modest.window(LEAD).await?;
        let (mut idle, mut under, mut attack) = (Vec::new(), Vec::new(), String::new());
        for round in 1..=self.options.rounds() {
            eprintln!("bench: {name}, round {round} of {}", self.options.rounds());
            let calm = self.calm().await?;
            let mut window = modest.window(self.length()).await?;
            window.noisy = !calm;
            idle.push(window);
            let calm = self.calm().await?;
            let (mut window, managed) = match name {
                "slowloris" => self.beside_slow(&modest).await?,
                _ => self.beside_hammers(&modest).await?,
            };
            window.noisy = !calm;
            under.push(window);
            attack = managed;
        }
        let at_most = if name == "slowloris" { 2.0 } else { 3.0 };
        Attacked::new(name, [&idle, &under], at_most, attack)
    }

    async fn calm(&self) -> anyhow::Result<bool> {
        Ok(self.options.quick || quiet::settle().await?)
    }

    /// Longer than the gateway lets a client dawdle, so that connections are renewed in it too.
    fn length(&self) -> Duration {
        Duration::from_secs(if self.options.quick { 3 } else { 20 })
    }

    /// A window while slow connections are held open. They count only if they are all there still.
    async fn beside_slow(&self, modest: &Modest) -> anyhow::Result<(Window, String)> {
        let mut command = own("dawdle")?;
        command
            .args(["--port", &self.gateway.port.to_string()])
            .args(["--connections", &SLOW.to_string()]);
        let log = self.scratch.path("dawdle.log");
        let mut slow = Service::start("slow clients", &mut command, log)?;
        let all = async || {
            self.gateway
                .connections()
                .await
                .is_ok_and(|open| open > SLOW)
        };
        slow.ready(Duration::from_secs(20), all).await?;
        let window = modest.window(self.length()).await?;
        let open = self.gateway.connections().await?;
        // Some are being renewed at any moment.
        ensure!(
            open > SLOW * 9 / 10,
            "only {open} slow connections are left"
        );
        Ok((window, format!("{SLOW} slow connections")))
    }

    /// A window while tenants hammer.
    async fn beside_hammers(&self, modest: &Modest) -> anyhow::Result<(Window, String)> {
        let mut hammers = Vec::new();
        for (number, tenant) in self.tenants[..HAMMERING].iter().enumerate() {
            let mut command = own("hammer")?;
            let request = modest::text(&(self.model)(tenant));
            let seconds = (self.length() + 2 * LEAD).as_secs();
            command
                .args(["--port", &self.gateway.port.to_string()])
                .args(["--network", &(10 + number).to_string()])
                .args(["--connections", &HAMMERS.to_string()])
                .args(["--seconds", &seconds.to_string()])
                .env(hammer::REQUEST, request);
            hammers.push(async move { process::output(&mut command).await });
        }
        let window = async {
            tokio::time::sleep(LEAD).await;
            modest.window(self.length()).await
        };
        let (said, window) = tokio::try_join!(try_join_all(hammers), window)?;
        let managed = said.iter().map(|text| hammer::Managed::read(text));
        let managed = managed.collect::<anyhow::Result<Vec<_>>>()?;
        let seconds = (self.length() + 2 * LEAD).as_secs();
        let answered: u64 = managed.iter().map(|one| one.answered).sum();
        let refused: u64 = managed.iter().map(|one| one.refused).sum();
        let rate = answered / seconds;
        Ok((
            window,
            format!("4 tenants: {rate}/s answered, {refused} refused"),
        ))
    }
}

/// One of this program's own commands.
fn own(word: &str) -> anyhow::Result<Command> {
    let mut command = Command::new(process::own_program()?);
    command.arg(word);
    Ok(command)
}
