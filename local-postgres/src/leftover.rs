//! Ending what a killed starter left behind.
//!
//! A process id in `postmaster.pid` proves nothing: the machine may have been restarted and the
//! id be someone else's by now. A server is known by its processes' working directory, which is
//! the data directory.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::{error::Error, files::at, postmaster::PidFile};

const PATIENCE: Duration = Duration::from_secs(60);

/// Ends a server that still runs on the data, and waits until the last of its processes is gone.
pub(crate) fn end(data: &Path) -> Result<(), Error> {
    let Some(file) = PidFile::read(data) else {
        return Ok(());
    };
    let processes = serving(data);
    if processes.is_empty() {
        return forget(data, file.pid);
    }
    tracing::warn!(
        pid = file.pid,
        "ending a PostgreSQL that an earlier run left behind"
    );
    if processes.contains(&file.pid)
        && let Some(pid) = Pid::from_raw(file.pid)
    {
        let _ = kill_process(pid, Signal::INT);
    }
    let started = Instant::now();
    while let Some(&pid) = serving(data).first() {
        if started.elapsed() > PATIENCE {
            return Err(Error::Stop {
                pid,
                seconds: PATIENCE.as_secs(),
            });
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Whether a process of this id serves the data.
pub(crate) fn serves(data: &Path, pid: i32) -> bool {
    serving(data).contains(&pid)
}

/// Removes the file of a server that is gone, where its process id is another's by now:
/// PostgreSQL would take that process for the server and refuse to start.
fn forget(data: &Path, pid: i32) -> Result<(), Error> {
    let taken = Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid).is_ok());
    if !taken {
        return Ok(());
    }
    let path = PidFile::path(data);
    fs::remove_file(&path).map_err(at(&path))
}

/// The server processes whose working directory is the data directory.
fn serving(data: &Path) -> Vec<i32> {
    let processes = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    processes
        .filter(|process| {
            let home = process.path();
            let name = fs::read_to_string(home.join("comm")).unwrap_or_default();
            name.trim() == "postgres"
                && fs::read_link(home.join("cwd")).is_ok_and(|cwd| cwd == data)
        })
        .filter_map(|process| process.file_name().to_str()?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, process::Command};

    use super::*;

    /// A directory in which a process that looks like a server runs until it is told to stop.
    fn pretend(parent: &Path) -> (PathBuf, std::process::Child) {
        let program = parent.join("postgres");
        fs::copy("/bin/sleep", &program).unwrap();
        let data = parent.canonicalize().unwrap().join("data");
        fs::create_dir(&data).unwrap();
        let child = Command::new(program)
            .arg("600")
            .current_dir(&data)
            .spawn()
            .unwrap();
        (data, child)
    }

    fn write_pid(data: &Path, pid: u32) {
        let text = format!(
            "{pid}\n{}\n1700000000\n5432\n/x\n\n1 2\nready\n",
            data.display()
        );
        fs::write(PidFile::path(data), text).unwrap();
    }

    #[test]
    fn a_server_left_behind_is_ended() {
        let parent = tempfile::tempdir().unwrap();
        let (data, mut child) = pretend(parent.path());
        write_pid(&data, child.id());
        let ended = thread::spawn(move || child.wait().unwrap());
        end(&data).unwrap();
        assert!(!ended.join().unwrap().success());
    }

    #[test]
    fn a_process_that_has_the_servers_id_by_chance_is_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        let mut bystander = Command::new("sleep").arg("600").spawn().unwrap();
        write_pid(parent.path(), bystander.id());
        end(parent.path()).unwrap();
        assert!(!PidFile::path(parent.path()).exists());
        assert_eq!(bystander.try_wait().unwrap(), None);
        bystander.kill().unwrap();
        bystander.wait().unwrap();
    }

    #[test]
    fn the_file_of_a_crashed_server_is_left_to_postgresql() {
        let parent = tempfile::tempdir().unwrap();
        let mut gone = Command::new("true").spawn().unwrap();
        gone.wait().unwrap();
        write_pid(parent.path(), gone.id());
        end(parent.path()).unwrap();
        assert!(PidFile::path(parent.path()).exists());
    }
}
