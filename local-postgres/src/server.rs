//! Starting and stopping.

use std::{
    net::{Ipv4Addr, TcpListener},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::{
    account::Account,
    address::Address,
    binaries::{Binaries, find_for},
    cluster,
    error::Error,
    files::tail,
    keeper::Keeper,
    leftover,
    options::Options,
    place::{Hold, Place},
    postmaster::PidFile,
    sockets::Sockets,
};

/// How long a server may take to start: recovering from a crash replays up to a checkpoint's
/// distance of log.
const START: Duration = Duration::from_secs(300);

/// Between two notes of how far a start has come.
const PROGRESS: Duration = Duration::from_secs(5);

/// How long it may take to end its sessions and write its last checkpoint.
const STOP: Duration = Duration::from_secs(60);

/// The port in the socket's name where TCP is off.
const UNUSED_PORT: u16 = 5432;

/// A running server. Dropped without [`Server::stop`], it is told to stop, and not waited for.
#[derive(Debug)]
pub struct Server {
    // In this order: told to stop before the sockets' directory and the hold go.
    keeper: Keeper,
    address: Address,
    binaries: Binaries,
    _sockets: Sockets,
    _hold: Hold,
}

impl Server {
    /// The superuser's URL for the database `postgres`, over the unix socket.
    ///
    /// It holds the password: not for logs.
    #[must_use]
    pub fn admin_url(&self) -> String {
        self.address.admin_url()
    }

    /// A URL over the unix socket, as libpq and tokio-postgres read it.
    #[must_use]
    pub fn url(&self, user: &str, password: &str, database: &str) -> String {
        self.address.url(user, password, database)
    }

    /// Where the server is reached.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The directory of the unix socket.
    #[must_use]
    pub fn socket_directory(&self) -> &Path {
        self.address.socket_directory()
    }

    /// The TCP port on 127.0.0.1; `None` where only the unix socket is served.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.address.port()
    }

    /// The programs that serve it.
    #[must_use]
    pub const fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// The server's process id.
    #[must_use]
    pub const fn process_id(&self) -> i32 {
        self.keeper.pid()
    }

    /// Resolves when the server has ended, whoever ended it.
    pub async fn ended(&self) {
        self.keeper.ended().await;
    }

    /// Stops the server: sessions are ended, what is committed is on disk, and the process is
    /// gone when this returns.
    ///
    /// # Errors
    /// When it has not stopped within a minute; it is then stopped hard, and recovers when it
    /// is started again.
    pub async fn stop(self) -> Result<(), Error> {
        self.keeper.signal(Signal::INT);
        if self.keeper.ended_within(STOP).await {
            return Ok(());
        }
        self.keeper.signal(Signal::QUIT);
        self.keeper.ended_within(STOP).await;
        Err(Error::Stop {
            pid: self.process_id(),
            seconds: STOP.as_secs(),
        })
    }
}

/// Starts a server and waits until it takes connections. Where there is no data yet, it is made.
///
/// As an ordinary user, the server runs as that user. As root it runs as the owner of the data;
/// new data is given to the system's `postgres` user, or, where that user cannot reach the
/// directory, served from a user namespace in which root's files belong to an ordinary user.
///
/// # Errors
/// Every [`Error`] but [`Error::Stop`] has its place here; each says what to do.
pub async fn start(options: Options) -> Result<Server, Error> {
    let directory = options.directory.clone();
    let started = tokio::task::spawn_blocking(move || launch(&options)).await;
    started.unwrap_or_else(|cause| {
        let cause = std::io::Error::other(cause);
        Err(Error::Files {
            path: directory,
            cause,
        })
    })
}

/// The address of a server that runs in a directory now, whoever started it; `None` if none does.
///
/// # Errors
/// When the directory or the superuser's password may not be read.
pub fn running(directory: &Path) -> Result<Option<Address>, Error> {
    if !directory.exists() {
        return Ok(None);
    }
    let place = Place::at(directory)?;
    let data = place.data();
    let Some(file) = PidFile::read(&data).filter(|file| file.ready) else {
        return Ok(None);
    };
    if !leftover::serves(&data, file.pid) {
        return Ok(None);
    }
    let Some(password) = place.password()? else {
        return Err(Error::NoPassword {
            data,
            secret: place.secret(),
        });
    };
    let PidFile {
        port,
        socket_directory,
        tcp,
        ..
    } = file;
    Ok(Some(Address {
        socket_directory,
        port,
        tcp,
        password,
    }))
}

fn launch(options: &Options) -> Result<Server, Error> {
    let place = Place::make(&options.directory)?;
    let hold = place.hold()?;
    let data = place.data();
    let binaries = find_for(options.binaries.as_deref(), cluster::version(&data)?)?;
    cluster::check_version(&place, &binaries)?;
    let account = Account::choose(&binaries, place.directory(), &data)?;
    leftover::end(&place)?;
    options.port.map_or(Ok(()), check_port)?;
    let password = cluster::ensure(&place, &binaries, account, options.durability)?;
    let port = options.port.unwrap_or(UNUSED_PORT);
    let sockets = Sockets::make(&place, port, account)?;
    let address = Address {
        socket_directory: sockets.path().to_owned(),
        port,
        tcp: options.port.is_some(),
        password,
    };
    let command = command(options, &binaries, account, &data, &address);
    let keeper = serve(&place, command)?;
    Ok(Server {
        keeper,
        address,
        binaries,
        _sockets: sockets,
        _hold: hold,
    })
}

/// Refuses a busy port before anything is started: the server itself would only log it.
fn check_port(port: u16) -> Result<(), Error> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(cause) => Err(Error::PortBusy { port, cause }),
    }
}

fn command(
    options: &Options,
    binaries: &Binaries,
    account: Account,
    data: &Path,
    address: &Address,
) -> Command {
    let server = binaries.program("postgres");
    let mut command = if tells_of_our_death() {
        let mut command = account.command(Path::new("setpriv"));
        command.args(["--pdeathsig", "INT", "--"]).arg(server);
        command
    } else {
        account.command(&server)
    };
    // A list of directories: quoted, for it could hold a comma.
    let sockets = address
        .socket_directory
        .to_string_lossy()
        .replace('"', "\"\"");
    let own = [
        ("port", address.port.to_string()),
        ("unix_socket_directories", format!("\"{sockets}\"")),
    ];
    command.arg("-D").arg(data);
    for (name, value) in options.settings() {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    for (name, value) in own {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    // A group of its own, so that the terminal's Ctrl-C is ours alone.
    command.current_dir(data).process_group(0);
    command
}

/// Whether `setpriv` is there, which makes a killed starter's server stop by itself.
fn tells_of_our_death() -> bool {
    let mut probe = Command::new("setpriv");
    probe
        .args(["--pdeathsig", "INT", "--", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}

/// Starts the server and waits until it says that it is ready.
fn serve(place: &Place, mut command: Command) -> Result<Keeper, Error> {
    let (log, offset) = place.open_log()?;
    let (path, data) = (place.log(), place.data());
    let refuse = |cause| Error::Files {
        path: path.clone(),
        cause,
    };
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(refuse)?)
        .stderr(log);
    let program = command.get_program().into();
    let keeper = Keeper::start(command).map_err(|cause| Error::CannotRun {
        program,
        cause: cause.to_string(),
    })?;
    let started = Instant::now();
    let mut noted = Instant::now();
    let ready = || PidFile::read(&data).is_some_and(|file| file.pid == keeper.pid() && file.ready);
    while !ready() {
        if !keeper.alive() {
            return Err(Error::Start {
                tail: tail(&path, offset),
                log: path,
            });
        }
        if started.elapsed() > START {
            let tail = tail(&path, offset);
            return Err(Error::Slow {
                seconds: START.as_secs(),
                log: path,
                tail,
            });
        }
        if noted.elapsed() > PROGRESS {
            noted = Instant::now();
            let (seconds, log) = (started.elapsed().as_secs(), tail(&path, offset));
            let last = log.lines().next_back().unwrap_or_default();
            tracing::warn!(seconds, last, "PostgreSQL is starting");
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(keeper)
}
