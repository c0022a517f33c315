//! The account that the server runs under.
//!
//! PostgreSQL refuses to run as root, so root has to find it another one: the owner of the data
//! that is there, or for new data the system's `postgres` user, or, where that user cannot reach
//! the directory (a project below `/root`), a user namespace in which root's own files belong
//! to an ordinary user.

use std::{
    fs,
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::Path,
    process::Command,
};

use crate::{binaries::Binaries, error::Error};

/// Who owns the server's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Owner {
    const ROOT: u32 = 0;

    /// Who owns a path.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            uid: metadata.uid(),
            gid: metadata.gid(),
        })
    }

    /// A user of the system.
    fn named(name: &str) -> Option<Self> {
        Self::find(name, &fs::read_to_string("/etc/passwd").ok()?)
    }

    fn find(name: &str, passwd: &str) -> Option<Self> {
        let line = passwd
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some(Self {
            uid: fields.next()?.parse().ok()?,
            gid: fields.next()?.parse().ok()?,
        })
    }
}

/// The account that the server runs under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    /// The one we have: we are not root.
    Own,
    /// Another user, for whom root starts it.
    Other(Owner),
    /// A user namespace in which root looks like an ordinary user: this one, for `initdb` wants
    /// a user who has a name.
    Namespace(Owner),
}

impl Account {
    /// Chooses the account for data that is there, or for new data below `directory`.
    pub(crate) fn choose(
        binaries: &Binaries,
        directory: &Path,
        data: &Path,
    ) -> Result<Self, Error> {
        let owner = Owner::of(data);
        let own = rustix::process::geteuid();
        if !own.is_root() {
            return match owner {
                Some(Owner { uid, .. }) if uid != own.as_raw() => Err(Error::OtherOwner {
                    directory: data.to_owned(),
                    owner: uid,
                }),
                _ => Ok(Self::Own),
            };
        }
        let postgres = Owner::named("postgres");
        let namespace = postgres
            .or_else(|| Owner::named("nobody"))
            .map(Self::Namespace);
        let candidates: Vec<Self> = match owner {
            Some(Owner {
                uid: Owner::ROOT, ..
            }) => namespace.into_iter().collect(),
            Some(owner) => vec![Self::Other(owner)],
            None => postgres
                .map(Self::Other)
                .into_iter()
                .chain(namespace)
                .collect(),
        };
        let mut tried = Vec::new();
        for candidate in candidates {
            match candidate.reaches(binaries, directory) {
                Ok(()) => return Ok(candidate),
                Err(reason) => tried.push(format!("{candidate} cannot ({reason})")),
            }
        }
        Err(Error::NoAccount {
            directory: directory.to_owned(),
            tried,
        })
    }

    /// A command that runs a program under the account.
    pub(crate) fn command(self, program: &Path) -> Command {
        match self {
            Self::Own => Command::new(program),
            Self::Other(Owner { uid, gid }) => {
                let mut command = Command::new(program);
                command.uid(uid).gid(gid);
                command
            }
            Self::Namespace(Owner { uid, gid }) => {
                let mut command = Command::new("unshare");
                command.arg("--user").arg(format!("--map-user={uid}"));
                command
                    .arg(format!("--map-group={gid}"))
                    .arg("--")
                    .arg(program);
                command
            }
        }
    }

    /// To whom the server's files must be given: nobody, where they are ours as they are made.
    pub(crate) const fn owner(self) -> Option<Owner> {
        match self {
            Self::Other(owner) => Some(owner),
            Self::Own | Self::Namespace(_) => None,
        }
    }

    /// Whether the account can run the programs and enter the directory: by trying.
    fn reaches(self, binaries: &Binaries, directory: &Path) -> Result<(), String> {
        let mut command = self.command(&binaries.program("postgres"));
        match command.arg("--version").current_dir(directory).output() {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(cause) => Err(cause.to_string()),
        }
    }
}

impl std::fmt::Display for Account {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Own => formatter.write_str("this user"),
            Self::Other(Owner { uid, .. }) => write!(formatter, "user id {uid}"),
            Self::Namespace(_) => formatter.write_str("a user namespace"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let passwd = "root:x:0:0::/root:/bin/sh\npostgres2:x:7:7::/:\npostgres:x:101:104:,,:/:\n";
        assert_eq!(
            Owner::find("postgres", passwd),
            Some(Owner { uid: 101, gid: 104 })
        );
        assert_eq!(Owner::find("post", passwd), None);
    }
}
