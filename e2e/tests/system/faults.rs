//! What happens to PostgreSQL while clients ask: whatever it is, they are answered what they asked
//! for, of their own tenant, or 503 with when to come back; and all are served again when it is over.

use std::{
    io::Write as _,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use e2e::{System, process::until, visitors::Visitors};
use local_postgres::{Options, Server};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use testkit::{database::connect, rounds, seed};
use tokio_postgres::Client;

const TENANTS: [&str; 4] = ["acme", "globex", "initech", "umbrella"];
const MAX_CONNECTIONS: u16 = 60;
/// How long something lasts that has no end of its own.
const WHILE: Duration = Duration::from_secs(2);

/// What happens to the server.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// It is stopped, its sessions ended, and started again.
    FastRestart,
    /// It is stopped without a checkpoint, and recovers.
    ImmediateRestart,
    /// One of its sessions is killed, so that it ends all others and recovers.
    KilledBackend,
    /// All of its processes stand still.
    StandStill,
    /// Others have all of its connections.
    NoConnections,
    /// It takes no writes.
    ReadOnly,
    /// A column has another type.
    OtherType,
}

const FAULTS: [Fault; 7] = [
    Fault::FastRestart,
    Fault::ImmediateRestart,
    Fault::KilledBackend,
    Fault::StandStill,
    Fault::NoConnections,
    Fault::ReadOnly,
    Fault::OtherType,
];

/// A server that a fault can stop.
struct Postgres {
    options: Options,
    server: Option<Server>,
}

impl Postgres {
    async fn start(directory: &Path) -> Self {
        let mut options = Options::new(directory.join("postgres"));
        options.binaries = testkit::server::binaries();
        options.max_connections = MAX_CONNECTIONS;
        let mut postgres = Self {
            options,
            server: None,
        };
        postgres.start_again().await;
        let admin = postgres.admin().await.unwrap();
        admin
            .batch_execute("CREATE DATABASE tenantry")
            .await
            .unwrap();
        postgres
    }

    /// The product's database.
    fn url(&self) -> String {
        let url = self.running().admin_url();
        let server = url.strip_suffix("/postgres").unwrap();
        format!("{server}/tenantry")
    }

    fn running(&self) -> &Server {
        self.server.as_ref().expect("it runs")
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.running().process_id()).unwrap()
    }

    async fn admin(&self) -> Option<Client> {
        let login: tenancy::db::Login = self.running().admin_url().parse().unwrap();
        connect(&login).await.ok()
    }

    async fn start_again(&mut self) {
        self.server = Some(local_postgres::start(self.options.clone()).await.unwrap());
    }

    /// Does it, and returns when its cause is over.
    async fn suffer(&mut self, fault: Fault) {
        match fault {
            Fault::FastRestart => {
                self.server.take().unwrap().stop().await.unwrap();
                self.start_again().await;
            }
            Fault::ImmediateRestart => {
                kill_process(self.pid(), Signal::QUIT).unwrap();
                self.running().ended().await;
                self.server = None;
                self.start_again().await;
            }
            Fault::KilledBackend => self.kill_a_backend().await,
            Fault::StandStill => self.stand_still().await,
            Fault::NoConnections => self.take_all_connections().await,
            Fault::ReadOnly => self.take_no_writes().await,
            Fault::OtherType => self.change_a_type().await,
        }
    }

    async fn kill_a_backend(&self) {
        const BACKEND: &str = "SELECT pid FROM pg_stat_activity \
            WHERE usename LIKE 'tenantry\\_data\\__' LIMIT 1";
        let admin = self.admin().await.unwrap();
        let pid: i32 = admin.query_one(BACKEND, &[]).await.unwrap().get(0);
        kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
        until("it ends the others", async || admin.is_closed()).await;
        until("it recovers", async || self.admin().await.is_some()).await;
    }

    async fn stand_still(&self) {
        let children = format!("/proc/{0}/task/{0}/children", self.running().process_id());
        let children = std::fs::read_to_string(children).unwrap();
        let children = children.split_whitespace().map(|pid| pid.parse().unwrap());
        let children: Vec<_> = children.filter_map(Pid::from_raw).collect();
        let all = || [self.pid()].into_iter().chain(children.iter().copied());
        all().for_each(|pid| kill_process(pid, Signal::STOP).unwrap_or(()));
        tokio::time::sleep(Duration::from_secs(rounds(3, 40) as u64)).await;
        all().for_each(|pid| kill_process(pid, Signal::CONT).unwrap_or(()));
    }

    /// Those that the product has as well: they are ended, and others are there before it.
    async fn take_all_connections(&self) {
        const END: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE usename LIKE 'tenantry%'";
        let (since, mut held) = (Instant::now(), Vec::new());
        while since.elapsed() < WHILE {
            match self.admin().await {
                Some(admin) => held.push(admin),
                None => held[0].batch_execute(END).await.unwrap(),
            }
        }
        assert!(held.len() > usize::from(MAX_CONNECTIONS) / 2);
    }

    async fn take_no_writes(&self) {
        let admin = self.admin().await.unwrap();
        for (value, then) in [("on", WHILE), ("off", Duration::ZERO)] {
            let own = "SET default_transaction_read_only = off";
            admin.batch_execute(own).await.unwrap();
            let all = format!("ALTER SYSTEM SET default_transaction_read_only = {value}");
            admin.batch_execute(&all).await.unwrap();
            admin
                .batch_execute("SELECT pg_reload_conf()")
                .await
                .unwrap();
            tokio::time::sleep(then).await;
        }
    }

    async fn change_a_type(&self) {
        let admin = connect(&self.url().parse().unwrap()).await.unwrap();
        for limit in ["varchar(300)", "text"] {
            let change = format!("ALTER TABLE tenant_acme.notes ALTER title TYPE {limit}");
            admin.batch_execute(&change).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_to_postgresql_answers_are_right_or_say_when_to_come_back() {
    let entropy = seed::printed();
    let directory = open_directory();
    let mut postgres = Postgres::start(directory.path()).await;
    let url = postgres.url();
    let system = System::start_with(&[("DATABASE_URL", &url)]).await;
    let visitors = Visitors::begin(&system, &TENANTS).await;
    let mut faults: Vec<Fault> = FAULTS.repeat(rounds(1, 8));
    shuffle(&mut faults, &entropy);
    for fault in faults {
        visitors.all_are_served().await;
        let [good, later] = visitors.answers();
        postgres.suffer(fault).await;
        let over = Instant::now();
        visitors.all_are_served().await;
        let [now_good, now_later] = visitors.answers();
        println!(
            "{fault:?}: {} good, {} later, all served {:?} after its end",
            now_good - good,
            now_later - later,
            over.elapsed()
        );
        assert!(
            visitors.wrong().is_empty(),
            "{fault:?}: {:#?}",
            visitors.wrong()
        );
    }
    visitors.leave().await;
    let log = std::fs::read_to_string(system.log()).unwrap();
    assert!(!log.contains("panicked"), "{log}");
    let bare = log
        .lines()
        .find(|line| line.trim_end().ends_with("db error"));
    assert_eq!(bare, None, "the cause is in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_is_renamed_while_clients_ask_is_served_by_its_id_throughout() {
    let system = System::start().await;
    let visitors = Visitors::begin(&system, &TENANTS).await;
    let operator = system.run("tenantry token create renames").await;
    let operator = operator.lines().last().unwrap().trim();
    for number in 0..rounds(16, 160) {
        let slug = format!("renamed-{number}");
        visitors.rename(operator, number, &slug).await;
    }
    assert!(visitors.wrong().is_empty(), "{:#?}", visitors.wrong());
    let [good, later] = visitors.answers();
    println!("{good} good, {later} of former names");
    visitors.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_full_takes_no_writes_and_those_are_told_when_to_come_back() {
    let directory = open_directory();
    let Some(_disk) = Disk::mount(directory.path()) else {
        return println!("[skipped] a disk of its own can be mounted by root alone");
    };
    let postgres = Postgres::start(directory.path()).await;
    let system = System::start_with(&[("DATABASE_URL", &postgres.url())]).await;
    let visitors = Visitors::begin(&system, &TENANTS).await;
    visitors.all_are_served().await;
    let [_, before] = visitors.answers();
    let filling = directory.path().join("filling");
    let mut file = std::fs::File::create(&filling).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    until("writes are refused", async || {
        visitors.answers()[1] > before + 10
    })
    .await;
    std::fs::remove_file(&filling).unwrap();
    drop(file);
    visitors.all_are_served().await;
    assert!(visitors.wrong().is_empty(), "{:#?}", visitors.wrong());
    visitors.leave().await;
}

/// A directory that PostgreSQL may enter, as whoever it runs.
fn open_directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
    std::fs::set_permissions(directory.path(), open).unwrap();
    directory
}

/// A small file system in memory, gone when dropped.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    /// `None` where this user may not.
    fn mount(place: &'a Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=160m,mode=0711", "tmpfs"]);
        let done = mount.arg(place).output().ok()?;
        done.status.success().then_some(Self(place))
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

fn shuffle(faults: &mut [Fault], entropy: &service::Entropy) {
    for last in (1..faults.len()).rev() {
        let chosen = usize::from(u16::from_be_bytes(entropy.bytes())) % (last + 1);
        faults.swap(last, chosen);
    }
}
