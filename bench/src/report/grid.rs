//! A grid of text whose columns line up.

use std::fmt;

/// The columns, by what they hold in the first section; later ones head them anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Name,
    Traffic,
    Direct,
    DirectP50,
    DirectP99,
    Nginx,
    NginxP50,
    NginxP99,
    Ratio,
    Target,
    Verdict,
}

const COLUMNS: usize = Column::Verdict as usize + 1;

impl Column {
    /// From here on cells stand to the right: they are figures.
    const FIGURES: Self = Self::Direct;
}

/// Lines whose columns are aligned when shown.
#[derive(Default)]
pub(super) struct Grid(Vec<[String; COLUMNS]>);

impl Grid {
    /// Adds a line: its name, and cells in some of the other columns.
    pub(super) fn line<const N: usize>(&mut self, name: &str, cells: [(Column, &str); N]) {
        let mut line: [String; COLUMNS] = Default::default();
        name.clone_into(&mut line[Column::Name as usize]);
        for (column, cell) in cells {
            cell.clone_into(&mut line[column as usize]);
        }
        self.0.push(line);
    }

    /// Begins a section with its headings.
    pub(super) fn section<const N: usize>(&mut self, name: &str, headings: [(Column, &str); N]) {
        if !self.0.is_empty() {
            self.line("", []);
        }
        self.line(name, headings);
    }

    fn widths(&self) -> [usize; COLUMNS] {
        std::array::from_fn(|column| {
            // A sentence may run on past the grid: alone in its line it sets no width.
            let lines = self
                .0
                .iter()
                .filter(|line| line[1..].iter().any(|cell| !cell.is_empty()));
            lines
                .map(|line| line[column].chars().count())
                .max()
                .unwrap_or_default()
        })
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        for line in &self.0 {
            let mut text = String::new();
            for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
                let padded = if column < Column::FIGURES as usize {
                    format!("{cell:<width$}  ")
                } else {
                    format!("{cell:>width$}  ")
                };
                text.push_str(&padded);
            }
            writeln!(formatter, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_left_and_figures_right() {
        let mut grid = Grid::default();
        grid.section("rows", [(Column::Direct, "each")]);
        grid.line("a long name", [(Column::Direct, "1")]);
        grid.line("a sentence on its own that is longer than any name", []);
        let lines = "rows           each\na long name       1\na sentence";
        assert!(grid.to_string().starts_with(lines), "{grid}");
    }
}
