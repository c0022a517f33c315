//! File operations whose errors name the path.

use std::{
    fs::{self, File, Permissions},
    io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _, chown},
    path::Path,
};

use crate::{account::Owner, error::Error};

/// Names the path in an error.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |cause| Error::Files {
        path: path.to_owned(),
        cause,
    }
}

/// Makes a directory for one user alone, if it is absent, and gives it to `owner`.
pub(crate) fn private_directory(path: &Path, owner: Option<Owner>) -> Result<(), Error> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => (),
        made => made.map_err(at(path))?,
    }
    give(path, owner)
}

/// Writes a new file that only `owner` can read.
pub(crate) fn private_file(path: &Path, text: &str, owner: Option<Owner>) -> Result<(), Error> {
    let mut options = File::options();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(path).map_err(at(path))?;
    file.write_all(text.as_bytes()).map_err(at(path))?;
    file.sync_all().map_err(at(path))?;
    give(path, owner)
}

/// Opens a file to lock, for its owner alone; makes it if it is absent.
///
/// # Errors
/// When it cannot be opened.
pub fn lock_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    let file = options.create(true).append(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

/// Removes a directory with all it holds, if it is there.
pub(crate) fn remove_directory(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => Err(at(path)(cause)),
        _ => Ok(()),
    }
}

/// A file's text, or `None` where there is no such file.
pub(crate) fn read(path: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        read => read.map(Some).map_err(at(path)),
    }
}

/// The last lines that a file got after `offset`; best effort, for error messages.
pub(crate) fn tail(path: &Path, offset: u64) -> String {
    let read = || -> io::Result<String> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(
            offset.max(length.saturating_sub(16 * 1024)),
        ))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    last_lines(&read().unwrap_or_default())
}

/// The last lines of a text.
pub(crate) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

fn give(path: &Path, owner: Option<Owner>) -> Result<(), Error> {
    match owner {
        Some(Owner { uid, gid }) => chown(path, Some(uid), Some(gid)).map_err(at(path)),
        None => Ok(()),
    }
}
