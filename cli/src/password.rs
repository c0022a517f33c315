//! Passwords given to the command line: from a file, never as an argument, where everybody on the
//! machine could read them. Without a file one is drawn, and told once.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use service::{Entropy, Minted, body::Text};

/// Where a password comes from.
#[derive(Args)]
pub(crate) struct Password {
    /// File of the password; `-` is standard input [default: one is drawn and printed]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// A password, and whether it is news.
pub(crate) struct Got {
    password: SecretString,
    drawn: bool,
}

impl Password {
    /// Reads the password, or draws one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn get(&self) -> anyhow::Result<Got> {
        Ok(match &self.password_file {
            Some(path) => Got {
                password: read(path)?,
                drawn: false,
            },
            None => Got {
                password: Minted::new(&Entropy::system()?, "").secret,
                drawn: true,
            },
        })
    }
}

impl Got {
    /// As a field of a request.
    pub(crate) fn text(&self) -> Text {
        Text::Given(self.password.expose_secret().to_owned())
    }

    /// The password, if nobody knows it yet.
    pub(crate) fn drawn(&self) -> Option<&SecretString> {
        self.drawn.then_some(&self.password)
    }

    /// A line that tells it, if nobody knows it yet.
    pub(crate) fn told(&self, username: &str) -> Option<String> {
        let drawn = self.drawn()?.expose_secret();
        Some(format!("{username}'s password is {drawn}"))
    }
}

/// A password, without the line's end that editors put behind it.
fn read(path: &Path) -> anyhow::Result<SecretString> {
    let text = if path == Path::new("-") {
        std::io::read_to_string(std::io::stdin().lock())
    } else {
        std::fs::read_to_string(path)
    };
    let text = text.with_context(|| path.display().to_string())?;
    Ok(text.trim_end_matches(['\r', '\n']).into())
}
