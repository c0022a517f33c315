//! What is printed, and what is asked.
//!
//! Results go to standard output, as text or as JSON; everything said on the way goes to standard
//! error. A reader that has gone (`tenantry tenant list | head`) is no failure.

use std::io::{self, BufRead, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::failure::Usage;

/// Prints.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// A result: its JSON if that was asked for, else the text.
    pub(crate) fn result(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        let text = if self.json {
            serde_json::to_string_pretty(value)?
        } else {
            text()
        };
        write(io::stdout().lock(), text.trim_end())?;
        Ok(())
    }

    /// A word on the way.
    pub(crate) fn note(self, text: &str) {
        let _ = write(io::stderr().lock(), text);
    }

    /// How far something long is, shown where standard error is a terminal and text is asked for.
    pub(crate) fn progress(self, of: u64, what: &'static str) -> ProgressBar {
        if self.json {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{bar:32} {pos} of {len} {msg}, {eta} left");
        let bar = ProgressBar::new(of).with_message(what);
        match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }

    /// Why it was not done.
    pub(crate) fn fault(self, fault: &anyhow::Error) {
        if self.json {
            let body = serde_json::json!({ "error": format!("{fault:#}") });
            let _ = write(io::stderr().lock(), &body.to_string());
        } else {
            self.note(&format!("tenantry: {fault:#}"));
        }
    }

    /// Asks before something is destroyed.
    ///
    /// # Errors
    /// When the answer is no, or nobody is there to ask.
    pub(crate) fn confirm(self, question: &str, yes: bool) -> anyhow::Result<()> {
        if yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            return Err(Usage(format!("{question} Nobody is here to ask: pass --yes")).into());
        }
        let mut error = io::stderr().lock();
        write!(error, "{question} [y/N] ")?;
        error.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            return Ok(());
        }
        anyhow::bail!("nothing was done")
    }
}

fn write(mut to: impl Write, text: &str) -> io::Result<()> {
    match writeln!(to, "{text}").and_then(|()| to.flush()) {
        Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

/// Prints bytes as they are.
pub(crate) fn raw(bytes: &[u8]) -> io::Result<()> {
    match io::stdout().lock().write_all(bytes) {
        Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

/// Rows in columns, each as wide as its widest cell.
pub(crate) fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = heads.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: [&str; N]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(heads)];
    lines.extend(
        rows.iter()
            .map(|row| line(row.each_ref().map(String::as_str))),
    );
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_need_to_be() {
        let rows = [
            ["acme".to_owned(), "x".to_owned()],
            ["é".to_owned(), String::new()],
        ];
        assert_eq!(table(["SLUG", "N"], &rows), "SLUG  N\nacme  x\né");
    }
}
