//! The table as it is printed: one grid, whose sections name their own columns.

use std::fmt;

use super::{
    Bound, Check, Report, attack, crowd,
    grid::{Column::*, Grid},
    megabytes,
};
use crate::{
    load::Figures,
    peer::{Measured as Theirs, Outcome},
    product::SignUps,
    rows::{Kind, Measured},
};

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut grid = Grid::default();
        self.load_rows(&mut grid);
        self.attack_rows(&mut grid);
        self.crowd_rows(&mut grid);
        self.sign_up_rows(&mut grid);
        self.memory_rows(&mut grid);
        self.peer_rows(&mut grid);
        write!(formatter, "{grid}")?;
        if self.quick {
            writeln!(formatter, "\nShort windows (--quick): not for quoting.")?;
        }
        Ok(())
    }
}

impl Report {
    fn load_rows(&self, grid: &mut Grid) {
        let headings = [
            (Traffic, "traffic"),
            (Direct, "direct/s"),
            (DirectP50, "p50 ms"),
            (DirectP99, "p99 ms"),
            (Nginx, "nginx/s"),
            (NginxP50, "p50 ms"),
            (NginxP99, "p99 ms"),
            (Ratio, "of its limit"),
            (Target, "target"),
            (Verdict, "verdict"),
        ];
        if self.rows.is_empty() {
            return;
        }
        grid.section(&format!("requests, {} tenants", self.tenants), headings);
        for row in &self.rows {
            self.load_row(grid, row);
        }
    }

    fn load_row(&self, grid: &mut Grid, row: &Measured) {
        let name = match row.kind {
            Kind::Product => row.name.to_owned(),
            _ => format!("limit: {}", row.name),
        };
        let traffic = (Traffic, row.mix.name());
        if let Some(fault) = &row.fault {
            grid.line(&name, [traffic, (Verdict, "INVALID")]);
            return grid.line(&format!("  {fault}"), []);
        }
        let [ratio, target, mut verdict] = verdict(self.load(row), times);
        if row.invalid() {
            verdict = format!("INVALID: {} failed", failed(row));
        }
        verdict += &noise(row);
        let [direct, direct_p50, direct_p99] = figures(row.direct.as_ref());
        let [nginx, nginx_p50, nginx_p99] = figures(row.nginx.as_ref());
        let cells = [
            traffic,
            (Direct, &direct),
            (DirectP50, &direct_p50),
            (DirectP99, &direct_p99),
            (Nginx, &nginx),
            (NginxP50, &nginx_p50),
            (NginxP99, &nginx_p99),
            (Ratio, &ratio),
            (Target, &target),
            (Verdict, &verdict),
        ];
        grid.line(&name, cells);
    }

    fn attack_rows(&self, grid: &mut Grid) {
        if self.attacked.is_empty() {
            return;
        }
        let headings = [
            (DirectP50, "idle p50"),
            (DirectP99, "idle p99"),
            (NginxP50, "then p50"),
            (NginxP99, "then p99"),
            (Ratio, "p99 longer"),
            (Target, "target"),
            (Verdict, "verdict"),
        ];
        grid.section("200/s beside an attack, ms", headings);
        for row in &self.attacked {
            let [ratio, target, mut verdict] = verdict(Some(attack(row)), times);
            if row.failed() > 0 {
                verdict = format!("INVALID: {} failed", row.failed());
            }
            match row.idle.noisy + row.under.noisy {
                0 => (),
                windows => verdict += &format!(" ({windows} noisy)"),
            }
            let [_, idle_p50, idle_p99] = figures(Some(&row.idle));
            let [_, p50, p99] = figures(Some(&row.under));
            let cells = [
                (DirectP50, &*idle_p50),
                (DirectP99, &idle_p99),
                (NginxP50, &p50),
                (NginxP99, &p99),
                (Ratio, &ratio),
                (Target, &target),
                (Verdict, &verdict),
            ];
            grid.line(row.name, cells);
            grid.line(&format!("  {}", row.attack), []);
        }
    }

    fn crowd_rows(&self, grid: &mut Grid) {
        if self.crowded.is_empty() {
            return;
        }
        let headings = [
            (DirectP50, "idle p50"),
            (DirectP99, "idle p99"),
            (NginxP50, "then p50"),
            (Ratio, "then p99"),
            (Target, "target"),
            (Verdict, "verdict"),
        ];
        grid.section("one signs in beside a crowd, ms", headings);
        for row in &self.crowded {
            let ms = |value: f64| format!("{value:.1}");
            let [p99, target, mut verdict] = verdict(Some(crowd(row)), ms);
            if row.failed() > 0 {
                verdict = format!("INVALID: {} failed", row.failed());
            }
            let [_, idle_p50, idle_p99] = figures(Some(&row.idle));
            let [_, p50, _] = figures(Some(&row.under));
            let cells = [
                (DirectP50, &*idle_p50),
                (DirectP99, &idle_p99),
                (NginxP50, &p50),
                (Ratio, &p99),
                (Target, &target),
                (Verdict, &verdict),
            ];
            grid.line(row.name, cells);
            let [signed_in, refused] = row.crowd;
            let hash = row.hash_ms;
            let crowd =
                format!("  crowd: {signed_in} signed in, {refused} refused; a hash {hash:.1} ms");
            grid.line(&crowd, []);
        }
    }

    fn sign_up_rows(&self, grid: &mut Grid) {
        let SignUps {
            one_by_one_ms,
            at_once_ms,
            raw_ddl_ms,
            hash_ms,
        } = self.sign_ups;
        let ms = |value: f64| format!("{value:.1}");
        let [ratio, target, verdict] = verdict(Some(self.sign_up()), times);
        grid.section("sign-up", [(Direct, "ms each")]);
        grid.line(
            "limit: raw DDL, one round trip",
            [(Direct, &ms(raw_ddl_ms))],
        );
        grid.line("limit: one argon2id", [(Direct, &ms(hash_ms))]);
        let one = ms(one_by_one_ms);
        let judged = [
            (Direct, &*one),
            (Ratio, &ratio),
            (Target, &target),
            (Verdict, &verdict),
        ];
        grid.line("register", judged);
        grid.line("register, four at once", [(Direct, &ms(at_once_ms))]);
    }

    fn memory_rows(&self, grid: &mut Grid) {
        let (limit, product) = (&self.memory.limit_server, &self.memory.product);
        let mb = |bytes| format!("{:.0}", megabytes(bytes));
        grid.section(
            "memory after the run",
            [(Direct, "MB"), (DirectP50, "peak MB")],
        );
        let (now, peak) = (mb(limit.now), mb(limit.peak));
        grid.line("limit: its server", [(Direct, &now), (DirectP50, &peak)]);
        let [now, target, verdict] = verdict(Some(self.resident()), |value| format!("{value:.0}"));
        let peak = mb(product.peak);
        let judged = [
            (Direct, &*now),
            (DirectP50, &peak),
            (Target, &target),
            (Verdict, &verdict),
        ];
        grid.line("the product", judged);
        let backends = &self.memory.backends;
        let sum = mb(backends.iter().sum());
        grid.line(
            &format!("{} backends of both, private", backends.len()),
            [(Direct, &sum)],
        );
        let most = mb(backends.iter().max().copied().unwrap_or_default());
        grid.line("the largest of them", [(Direct, &most)]);
    }

    fn peer_rows(&self, grid: &mut Grid) {
        for peer in &self.peers {
            let name = format!("peer: {}", peer.name);
            match &peer.outcome {
                Outcome::Unavailable(why) => {
                    grid.section(&name, []);
                    grid.line(&format!("  NOT MEASURED: {why}"), []);
                }
                Outcome::Measured(theirs) => {
                    let ours = [(Direct, "ours"), (DirectP50, "theirs"), (Ratio, "better")];
                    grid.section(&name, ours);
                    self.peer_load(grid, theirs);
                    self.peer_fleet(grid, theirs);
                }
            }
        }
    }

    fn peer_load(&self, grid: &mut Grid, theirs: &Theirs) {
        for (name, theirs) in [
            ("protected", &theirs.protected),
            ("notes", &theirs.notes),
            ("token", &theirs.token),
        ] {
            // The first of that name is the uniform one, which is what the peer was given.
            let ours = self
                .rows
                .iter()
                .find(|row| row.name == name && row.kind == Kind::Product);
            let ours = ours
                .and_then(|row| row.valid(true))
                .map(|figures| figures.per_second);
            let better = match (ours, theirs.failed) {
                (_, 1..) => format!("INVALID: {} failed", theirs.failed),
                (None, _) => String::new(),
                (Some(ours), _) => times(ours / theirs.per_second),
            };
            let ours = ours.map(thousands).unwrap_or_default();
            let theirs = thousands(theirs.per_second);
            let cells = [
                (Traffic, "uniform"),
                (Direct, &*ours),
                (DirectP50, &theirs),
                (Ratio, &better),
            ];
            grid.line(&format!("{name}, nginx/s"), cells);
        }
    }

    fn peer_fleet(&self, grid: &mut Grid, theirs: &Theirs) {
        let register = self.sign_ups.one_by_one_ms;
        let memory = [self.memory.product.now, theirs.memory_bytes].map(megabytes);
        for (name, ours, theirs) in [
            ("sign-up, by migrations, ms", register, theirs.create_ms),
            ("sign-up, by cloning, ms", register, theirs.clone_ms),
            (
                "migrate all (ours: raw DDL), s",
                self.migrate_s,
                theirs.migrate_s,
            ),
            ("memory, MB", memory[0], memory[1]),
        ] {
            let better = times(theirs / ours);
            let [ours, theirs] = [ours, theirs].map(|value| format!("{value:.2}"));
            grid.line(
                name,
                [(Direct, &ours), (DirectP50, &theirs), (Ratio, &better)],
            );
        }
        let nothing = format!("{:.2}", theirs.migrate_nothing_s);
        grid.line("migrate with nothing to do, s", [(DirectP50, &nothing)]);
    }
}

fn figures(figures: Option<&Figures>) -> [String; 3] {
    let Some(figures) = figures else {
        return Default::default();
    };
    let ms = |micros: f64| format!("{:.2}", micros / 1e3);
    [
        thousands(figures.per_second),
        ms(figures.p50_us),
        ms(figures.p99_us),
    ]
}

fn verdict(check: Option<Check>, show: fn(f64) -> String) -> [String; 3] {
    let Some(check) = check else {
        return Default::default();
    };
    let target = match check.bound {
        Bound::AtLeast(bound) => format!(">= {bound}"),
        Bound::AtMost(bound) => format!("<= {bound}"),
    };
    [
        show(check.value),
        target,
        if check.met() { "pass" } else { "FAIL" }.to_owned(),
    ]
}

fn failed(row: &Measured) -> u64 {
    [&row.direct, &row.nginx]
        .into_iter()
        .flatten()
        .map(|figures| figures.failed)
        .sum()
}

fn noise(row: &Measured) -> String {
    match [&row.direct, &row.nginx]
        .into_iter()
        .flatten()
        .map(|figures| figures.noisy)
        .sum()
    {
        0_usize => String::new(),
        windows => format!(" ({windows} noisy)"),
    }
}

/// A ratio, to three figures at most.
fn times(value: f64) -> String {
    if value < 10.0 {
        format!("{value:.2} x")
    } else {
        format!("{value:.0} x")
    }
}

/// A whole number with its thousands apart.
fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}
