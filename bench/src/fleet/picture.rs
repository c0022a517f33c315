//! Throughput and latency over the number of tenants, as an SVG that follows the reader's colours.

use std::fmt::Write;

use super::report::{Report, Row};
use crate::load::Mix;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 300.0;
/// Of one of the two panels.
const PANEL: f64 = 270.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 250.0;
const LEFT: [f64; 2] = [70.0, 440.0];
/// Grid lines above the lowest, at the most: what is higher is drawn at the last of them.
const MAX_STEPS: u32 = 8;

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}\
.grid{stroke:#d1d9e0;stroke-width:1}.line{fill:none;stroke-width:2}.churn{stroke-dasharray:5 4}\
.uniform{stroke:#0969da}.zipf{stroke:#bc4c00}circle.uniform{fill:#0969da}circle.zipf{fill:#bc4c00}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.grid{stroke:#3d444d}.uniform{stroke:#4493f8}\
.zipf{stroke:#f0883e}circle.uniform{fill:#4493f8}circle.zipf{fill:#f0883e}}";

/// The lines that are drawn, by their class.
const LINES: [(Mix, bool, &str); 4] = [
    (Mix::Uniform, false, "uniform"),
    (Mix::Zipf, false, "zipf"),
    (Mix::Uniform, true, "uniform churn"),
    (Mix::Zipf, true, "zipf churn"),
];

/// Draws a report.
pub(super) fn draw(report: &Report) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"Throughput and latency over the number of tenants\"><style>{STYLE}</style>\
         <text x=\"70\" y=\"18\">Notes through the API, 32 connections, PostgreSQL {}; beside a \
         hundred tenants in the same run</text>",
        report.postgres
    );
    legend(&mut svg);
    panel(
        &mut svg,
        0,
        report,
        "requests a second, of a hundred's",
        0.4,
        |row| row.ratios()[0],
    );
    panel(
        &mut svg,
        1,
        report,
        "slowest hundredth, times a hundred's",
        2.0,
        |row| row.ratios()[1],
    );
    svg.push_str("</svg>\n");
    svg
}

fn legend(svg: &mut String) {
    let names = [
        "uniform",
        "Zipf",
        "uniform, tenants come and go",
        "Zipf, tenants come and go",
    ];
    for ((_, _, class), (name, x)) in LINES.iter().zip(names.iter().zip([70, 170, 250, 480])) {
        let _ = write!(
            svg,
            "<line class=\"line {class}\" x1=\"{x}\" x2=\"{}\" y1=\"285\" y2=\"285\"/>\
             <text x=\"{}\" y=\"289\">{name}</text>",
            x + 24,
            x + 30
        );
    }
}

fn panel(
    svg: &mut String,
    number: usize,
    report: &Report,
    title: &str,
    step: f64,
    value: impl Fn(&Row) -> f64,
) {
    let left = LEFT[number];
    let values = report.sizes.iter().flat_map(|size| &size.rows).map(&value);
    let highest = values.fold(0.0, f64::max);
    let steps = (3..MAX_STEPS).find(|steps| f64::from(*steps) * step >= highest);
    let steps = steps.unwrap_or(MAX_STEPS);
    let most = f64::from(steps) * step;
    let y = |value: f64| BOTTOM - value.min(most) / most * (BOTTOM - TOP);
    let places = report.sizes.len().saturating_sub(1).max(1) as f64;
    let x = |place: usize| left + 10.0 + place as f64 / places * (PANEL - 20.0);
    let _ = write!(
        svg,
        "<text class=\"title\" x=\"{left}\" y=\"46\">{title}</text>"
    );
    for line in 0..=steps {
        let value = step * f64::from(line);
        let (at, end) = (y(value), left + PANEL);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{left}\" x2=\"{end}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value:.1}</text>",
            left - 8.0,
            at + 4.0
        );
    }
    for (place, size) in report.sizes.iter().enumerate() {
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"267\" text-anchor=\"middle\">{}</text>",
            x(place),
            size.population.exist
        );
    }
    for (mix, with_churn, class) in LINES {
        let points: Vec<(f64, f64)> = report
            .sizes
            .iter()
            .enumerate()
            .filter_map(|(place, size)| {
                let is_meant = |row: &&Row| row.mix == mix && row.with_churn == with_churn;
                let row = size.rows.iter().find(is_meant)?;
                Some((x(place), y(value(row))))
            })
            .collect();
        let line: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let _ = write!(
            svg,
            "<polyline class=\"line {class}\" points=\"{}\"/>",
            line.join(" ")
        );
        for (x, y) in points {
            let _ = write!(
                svg,
                "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::report::tests::size;

    #[test]
    fn every_row_is_drawn_at_every_size() {
        let report = Report {
            postgres: "15".into(),
            quick: false,
            sizes: vec![
                size(10, 1.0, 1.0),
                size(100, 0.9, 1.5),
                size(1000, 0.5, 9.0),
            ],
        };
        let svg = draw(&report);
        // Three rows at three sizes, in two panels.
        assert_eq!(svg.matches("<circle").count(), 18);
        assert!(svg.contains(">1000</text>") && svg.ends_with("</svg>\n"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }
}
