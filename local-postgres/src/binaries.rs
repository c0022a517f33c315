//! Finding the server's programs.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::error::Error;

/// The oldest major version that the migrations run on.
pub(crate) const OLDEST: u32 = 15;

/// Where Debian's packages put one directory per major version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The programs of one PostgreSQL version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    directory: PathBuf,
    major: u32,
}

impl Binaries {
    /// The directory that holds `postgres`, `initdb` and, mostly, `psql` and `pg_dump`.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The major version, such as 17.
    #[must_use]
    pub const fn major(&self) -> u32 {
        self.major
    }

    /// One program's path.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The programs in a directory, asked for their version.
    fn open(directory: &Path) -> Result<Self, Error> {
        let program = directory.join("postgres");
        let refuse = |cause| Error::CannotRun {
            program: program.clone(),
            cause,
        };
        let output = Command::new(&program)
            .arg("--version")
            .output()
            .map_err(|e| refuse(e.to_string()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let major = major(&text).ok_or_else(|| {
            refuse(format!(
                "{} {}",
                text.trim(),
                String::from_utf8_lossy(&output.stderr).trim()
            ))
        })?;
        if major < OLDEST {
            return Err(Error::TooOld {
                directory: directory.to_owned(),
                version: major,
            });
        }
        Ok(Self {
            directory: directory.to_owned(),
            major,
        })
    }
}

/// Finds the server's programs: in `setting` if that is given and nowhere else; else on PATH,
/// where `pg_config` points, and in Debian's directories, newest first.
///
/// # Errors
/// When there are none, naming the places looked at; when they do not run or are too old.
pub fn find_binaries(setting: Option<&Path>) -> Result<Binaries, Error> {
    find_for(setting, None)
}

/// As [`find_binaries`]; data of a major version is served by that version's programs, where
/// Debian has them installed, whatever else is there.
pub(crate) fn find_for(setting: Option<&Path>, data: Option<u32>) -> Result<Binaries, Error> {
    let candidates = match (setting, data) {
        (Some(directory), _) => vec![directory.to_owned()],
        (None, Some(major)) => {
            let matching = Path::new(DEBIAN).join(major.to_string()).join("bin");
            [matching].into_iter().chain(usual_places()).collect()
        }
        (None, None) => usual_places(),
    };
    match candidates.iter().find_map(|directory| complete(directory)) {
        Some(directory) => Binaries::open(&directory),
        None => Err(Error::NoBinaries {
            looked: looked(setting),
        }),
    }
}

fn usual_places() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = env::split_paths(&path).collect();
    places.extend(pg_config());
    places.extend(debian(Path::new(DEBIAN)));
    places
}

fn looked(setting: Option<&Path>) -> Vec<String> {
    match setting {
        Some(directory) => vec![directory.display().to_string()],
        None => ["PATH", "`pg_config --bindir`", "/usr/lib/postgresql/*/bin"]
            .map(str::to_owned)
            .to_vec(),
    }
}

/// The directory where `postgres` really lies, links followed, if `initdb` lies beside it.
fn complete(directory: &Path) -> Option<PathBuf> {
    let real = directory.join("postgres").canonicalize().ok()?;
    let home = real.parent()?;
    home.join("initdb").is_file().then(|| home.to_owned())
}

fn pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(text.trim()))
}

/// Debian's directories, newest version first.
fn debian(root: &Path) -> Vec<PathBuf> {
    let entries = root.read_dir().into_iter().flatten().filter_map(Result::ok);
    let mut versions: Vec<u32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions
        .into_iter()
        .map(|version| root.join(version.to_string()).join("bin"))
        .collect()
}

/// The major version in `postgres (PostgreSQL) 17.2 (Debian 17.2-1)`.
fn major(text: &str) -> Option<u32> {
    let number = text.split_once("(PostgreSQL) ")?.1;
    let digits = number.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_with_and_without_a_minor_part() {
        assert_eq!(
            major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
            Some(15)
        );
        assert_eq!(major("postgres (PostgreSQL) 19beta1\n"), Some(19));
        assert_eq!(major("sh: not found"), None);
    }

    #[test]
    fn newer_versions_come_first() {
        let root = tempfile::tempdir().unwrap();
        for name in ["9", "15", "18", "common"] {
            std::fs::create_dir(root.path().join(name)).unwrap();
        }
        let found = debian(root.path());
        assert_eq!(
            found,
            ["18", "15", "9"].map(|v| root.path().join(v).join("bin"))
        );
    }

    #[test]
    fn a_directory_without_programs_is_named_with_what_to_do() {
        let empty = tempfile::tempdir().unwrap();
        let text = find_binaries(Some(empty.path())).unwrap_err().to_string();
        assert!(text.contains(&empty.path().display().to_string()), "{text}");
        assert!(
            text.contains("POSTGRES_BIN_DIR") && text.contains("apt-get install"),
            "{text}"
        );
    }
}
