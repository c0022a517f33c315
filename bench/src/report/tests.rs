use super::*;
use crate::{
    attack::Attacked,
    load::{Figures, Mix, Window},
    peer::Outcome,
    rows::Goal,
};

fn figures(per_second: f64, failed: u64) -> Option<Figures> {
    Figures::of(&[Window {
        per_second,
        p50_us: 500.0,
        p99_us: 900.0,
        failed,
        noisy: false,
    }])
}

fn row(name: &'static str, kind: Kind, mix: Mix, per_second: f64) -> Measured {
    let figures = figures(per_second, 0);
    let goal = (kind == Kind::Product).then_some(Goal {
        against: Kind::TenantSafe,
        nginx: false,
        at_least: 0.9,
    });
    Measured {
        name,
        kind,
        mix,
        goal,
        fault: None,
        direct: figures.clone(),
        nginx: figures,
    }
}

fn report(rows: Vec<Measured>) -> Report {
    let resident = Resident {
        now: 30_000_000,
        peak: 70_000_000,
    };
    Report {
        tenants: 100,
        quick: false,
        rows,
        attacked: Vec::new(),
        crowded: Vec::new(),
        sign_ups: SignUps {
            one_by_one_ms: 50.0,
            at_once_ms: 30.0,
            raw_ddl_ms: 25.0,
            hash_ms: 15.0,
        },
        memory: Memory {
            product: resident,
            limit_server: resident,
            backends: vec![1 << 20; 8],
        },
        migrate_s: 1.0,
        peers: vec![Peer {
            name: "other".into(),
            outcome: Outcome::Unavailable("no".into()),
        }],
    }
}

#[test]
fn a_row_is_measured_against_the_best_limit_of_the_same_traffic() {
    let report = report(vec![
        row("a", Kind::TenantSafe, Mix::Uniform, 1000.0),
        row("b", Kind::TenantSafe, Mix::Uniform, 2000.0),
        row("c", Kind::TenantSafe, Mix::Zipf, 9000.0),
        row("notes", Kind::Product, Mix::Uniform, 1900.0),
    ]);
    assert_eq!(report.load(&report.rows[3]).unwrap().value, 0.95);
    assert!(report.good());
}

#[test]
fn a_missed_target_is_not_good() {
    let report = report(vec![
        row("a", Kind::TenantSafe, Mix::Uniform, 1000.0),
        row("notes", Kind::Product, Mix::Uniform, 800.0),
    ]);
    assert!(!report.good());
    assert!(report.to_string().contains("FAIL"), "{report}");
}

#[test]
fn a_failed_request_makes_the_row_invalid_and_the_run_bad() {
    let mut limit = row("a", Kind::TenantSafe, Mix::Uniform, 1000.0);
    limit.nginx = figures(1000.0, 1);
    let report = report(vec![
        limit,
        row("notes", Kind::Product, Mix::Uniform, 1000.0),
    ]);
    assert!(!report.good());
    assert!(report.to_string().contains("INVALID: 1 failed"), "{report}");
}

#[test]
fn a_sign_up_beyond_its_limit_is_not_good() {
    let mut report = report(Vec::new());
    assert!(report.good());
    report.sign_ups.one_by_one_ms = 60.5;
    assert!(!report.good());
}

#[test]
fn an_attack_that_others_notice_too_much_is_not_good() {
    let attacked = |at_most, failed| Attacked {
        name: "slowloris",
        idle: figures(200.0, 0).unwrap(),
        under: figures(200.0, failed).unwrap(),
        at_most,
        attack: "many".into(),
    };
    let good = |row| {
        let mut report = report(Vec::new());
        report.attacked = vec![row];
        (report.good(), report.to_string())
    };
    assert!(good(attacked(1.0, 0)).0);
    let (met, text) = good(attacked(0.9, 0));
    assert!(!met && text.contains("FAIL"), "{text}");
    let (met, text) = good(attacked(1.0, 1));
    assert!(!met && text.contains("INVALID: 1 failed"), "{text}");
}

#[test]
fn a_peer_that_did_not_run_is_in_the_table_with_the_reason() {
    assert!(report(Vec::new()).to_string().contains("NOT MEASURED: no"));
}

#[test]
fn the_columns_line_up() {
    let text = report(vec![
        row("short", Kind::TenantSafe, Mix::Uniform, 1_234_567.0),
        row("notes", Kind::Product, Mix::Zipf, 12.0),
    ])
    .to_string();
    let ends: Vec<Option<usize>> = ["1\u{202f}234\u{202f}567", "12", "ms each"]
        .map(|cell| {
            text.lines().find_map(|line| {
                let at = line.find(cell)? + cell.len();
                Some(line[..at].chars().count())
            })
        })
        .to_vec();
    assert_eq!(ends[0], ends[1], "{text}");
    assert_eq!(ends[0], ends[2], "{text}");
}

#[test]
fn the_json_carries_the_verdicts() {
    let json = serde_json::to_value(report(Vec::new())).unwrap();
    assert_eq!(json["good"], true);
    assert_eq!(json["sign_up_check"]["bound"]["at_most"], 1.5);
}
