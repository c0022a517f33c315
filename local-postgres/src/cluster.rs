//! The data: which version made it, and making it.

use std::{fs, path::Path};

use crate::{
    account::Account,
    address::SUPERUSER,
    binaries::Binaries,
    error::Error,
    files::{at, last_lines, private_directory, private_file, read, remove_directory},
    options::Durability,
    place::Place,
};

/// The major version that made the data; `None` where there is none yet.
pub(crate) fn version(data: &Path) -> Result<Option<u32>, Error> {
    let text = read(&data.join("PG_VERSION"))?;
    Ok(text.and_then(|text| text.trim().parse().ok()))
}

/// Refuses data that the programs cannot serve.
pub(crate) fn check_version(place: &Place, binaries: &Binaries) -> Result<(), Error> {
    match version(&place.data())? {
        Some(data) if data != binaries.major() => Err(Error::OtherVersion {
            directory: place.data(),
            data,
            binaries: binaries.major(),
        }),
        _ => Ok(()),
    }
}

/// Makes the data if it is absent, and says the superuser's password.
///
/// It is made under another name and moved when it is whole, so that a start that was cut off
/// leaves nothing that looks like data.
pub(crate) fn ensure(
    place: &Place,
    binaries: &Binaries,
    account: Account,
    durability: Durability,
) -> Result<String, Error> {
    let data = place.data();
    match (place.password()?, version(&data)?) {
        (Some(password), Some(_)) => return Ok(password),
        (None, Some(_)) => {
            return Err(Error::NoPassword {
                data,
                secret: place.secret(),
            });
        }
        _ => (),
    }
    let password = place.password()?.map_or_else(|| place.new_password(), Ok)?;
    tracing::info!(directory = %data.display(), version = binaries.major(), "making a database");
    let unfinished = place.unfinished();
    remove_directory(&unfinished)?;
    let made = initdb(place, binaries, account, durability, &password);
    remove_directory(&place.directory().join("initdb"))?;
    made?;
    fs::rename(&unfinished, &data).map_err(at(&data))?;
    Ok(password)
}

fn initdb(
    place: &Place,
    binaries: &Binaries,
    account: Account,
    durability: Durability,
    password: &str,
) -> Result<(), Error> {
    let (unfinished, scratch) = (place.unfinished(), place.directory().join("initdb"));
    remove_directory(&scratch)?;
    private_directory(&unfinished, account.owner())?;
    private_directory(&scratch, account.owner())?;
    let password_file = scratch.join("password");
    private_file(&password_file, password, account.owner())?;
    let program = binaries.program("initdb");
    let mut command = account.command(&program);
    // By which the next start knows one that outlived this process.
    command
        .current_dir(place.directory())
        .arg("--pgdata")
        .arg(&unfinished)
        .arg("--pwfile")
        .arg(&password_file)
        .args(["--username", SUPERUSER, "--auth=scram-sha-256"])
        .args(["--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"]);
    if durability == Durability::Scratch {
        command.arg("--no-sync");
    }
    let output = command.output().map_err(|e| Error::CannotRun {
        program: program.clone(),
        cause: e.to_string(),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let output = last_lines(&String::from_utf8_lossy(&said));
    Err(Error::Initdb {
        data: place.data(),
        output,
    })
}
