//! Ending what a killed starter left behind: a server, or an `initdb` that had not finished.
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

use crate::{error::Error, files::at, place::Place, postmaster::PidFile};

const PATIENCE: Duration = Duration::from_secs(60);

/// Ends what still runs in the directory, which is ours, and waits until the last process is gone.
pub(crate) fn end(place: &Place) -> Result<(), Error> {
    end_initdb(place)?;
    end_server(&place.data())
}

/// An `initdb` that outlived its starter would go on writing where the next one begins.
fn end_initdb(place: &Place) -> Result<(), Error> {
    let running = || {
        let mut processes = working("initdb", place.directory());
        processes.extend(working("postgres", &place.unfinished()));
        processes
    };
    for pid in running().into_iter().filter_map(Pid::from_raw) {
        tracing::warn!(
            pid = pid.as_raw_nonzero(),
            "ending an initdb that an earlier run left behind"
        );
        let _ = kill_process(pid, Signal::KILL);
    }
    gone(running)
}

/// Its `postmaster.pid` goes before its last processes do, and may be gone by now.
fn end_server(data: &Path) -> Result<(), Error> {
    let (file, processes) = (PidFile::read(data), serving(data));
    if processes.is_empty() {
        return file.map_or(Ok(()), |file| forget(data, file.pid));
    }
    match file.filter(|file| processes.contains(&file.pid)) {
        Some(file) => {
            tracing::warn!(
                pid = file.pid,
                "ending a PostgreSQL that an earlier run left behind"
            );
            if let Some(pid) = Pid::from_raw(file.pid) {
                let _ = kill_process(pid, Signal::INT);
            }
        }
        None => tracing::warn!("waiting for the PostgreSQL of an earlier run to end"),
    }
    gone(|| serving(data))
}

/// Waits until there are no such processes any more.
fn gone(running: impl Fn() -> Vec<i32>) -> Result<(), Error> {
    let started = Instant::now();
    while let Some(&pid) = running().first() {
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
    working("postgres", data)
}

/// The processes of a program that work in a directory.
fn working(program: &str, directory: &Path) -> Vec<i32> {
    let processes = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    processes
        .filter(|process| {
            let home = process.path();
            let name = fs::read_to_string(home.join("comm")).unwrap_or_default();
            name.trim() == program
                && fs::read_link(home.join("cwd")).is_ok_and(|cwd| cwd == directory)
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
        let data = parent.canonicalize().unwrap().join("data");
        let child = pretend_in(&data, "postgres");
        (data, child)
    }

    /// A process that looks like one of a program, in a directory that is made.
    fn pretend_in(directory: &Path, name: &str) -> std::process::Child {
        fs::create_dir_all(directory).unwrap();
        let program = directory.join(name);
        fs::copy("/bin/sleep", &program).unwrap();
        let mut command = Command::new(program);
        command.arg("600").current_dir(directory).spawn().unwrap()
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
        end_server(&data).unwrap();
        assert!(!ended.join().unwrap().success());
    }

    #[test]
    fn a_server_without_its_file_is_waited_for() {
        let parent = tempfile::tempdir().unwrap();
        let (data, mut child) = pretend(parent.path());
        let pid = Pid::from_child(&child);
        let (begin, begun) = std::sync::mpsc::channel();
        let stopping = thread::spawn(move || {
            begun.recv().unwrap();
            kill_process(pid, Signal::KILL).unwrap();
            child.wait().unwrap();
        });
        begin.send(()).unwrap();
        end_server(&data).unwrap();
        assert!(serving(&data).is_empty());
        stopping.join().unwrap();
    }

    #[test]
    fn an_initdb_left_behind_is_ended_with_its_server() {
        let parent = tempfile::tempdir().unwrap();
        let place = Place::make(parent.path()).unwrap();
        let initdb = pretend_in(place.directory(), "initdb");
        let server = pretend_in(&place.unfinished(), "postgres");
        let children = [initdb, server].map(|mut child| thread::spawn(move || child.wait()));
        end(&place).unwrap();
        for child in children {
            assert!(!child.join().unwrap().unwrap().success());
        }
    }

    #[test]
    fn a_process_that_has_the_servers_id_by_chance_is_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        let mut bystander = Command::new("sleep").arg("600").spawn().unwrap();
        write_pid(parent.path(), bystander.id());
        end_server(parent.path()).unwrap();
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
        end_server(parent.path()).unwrap();
        assert!(PidFile::path(parent.path()).exists());
    }
}
