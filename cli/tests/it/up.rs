//! `tenantry up` from start to stop.

use std::{
    net::TcpListener,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use reqwest::Client;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use testkit::{certificates::Authority, database::connect, port::free_port};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
};

use crate::support::{Ran, TestCli, directory, program};

/// A `tenantry up` that runs.
struct Up {
    child: Child,
    api: u16,
    pages: u16,
    admin: u16,
}

impl Up {
    /// Starts one, and waits until it is ready.
    async fn start(command: Command) -> Self {
        let mut up = Self::launch(command);
        let started = Instant::now();
        while !up.is_ready().await {
            let ended = up.child.try_wait().unwrap();
            assert!(
                ended.is_none() && started.elapsed() < Duration::from_secs(60),
                "{ended:?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        up
    }

    fn launch(command: Command) -> Self {
        let [api, pages, admin, postgres] = ports();
        let child = with_ports(command, [api, pages, admin, postgres])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            child,
            api,
            pages,
            admin,
        }
    }

    async fn is_ready(&self) -> bool {
        let url = format!("http://127.0.0.1:{}/health/ready", self.api);
        let answer = Client::new().get(url).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    async fn get(&self, port: u16, path: &str) -> (u16, String) {
        let url = format!("http://127.0.0.1:{port}{path}");
        let answer = Client::new().get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn register(&self, slug: &str) -> u16 {
        let url = format!("http://127.0.0.1:{}/tenants/register", self.api);
        let request = Client::new().post(url).json(&application(slug));
        let answer = request.send().await;
        answer.unwrap().status().as_u16()
    }

    /// Asks it to stop, and says what became of it.
    async fn stop(self) -> Ran {
        ask_to_stop(&self.child);
        ended(self.child).await
    }
}

fn application(slug: &str) -> Value {
    json!({
        "tenant_name": slug, "tenant_slug": slug, "admin_username": "ada",
        "admin_email": "ada@example.com", "admin_password": "correct horse",
    })
}

fn ask_to_stop(child: &Child) {
    let pid = i32::try_from(child.id().unwrap()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
}

async fn ended(child: Child) -> Ran {
    let limit = Duration::from_secs(60);
    let ended = tokio::time::timeout(limit, child.wait_with_output()).await;
    Ran::of(ended.unwrap().unwrap())
}

/// The private server's process.
fn postgres(directory: &Path) -> Option<Pid> {
    let file = std::fs::read_to_string(directory.join("data/postmaster.pid")).ok()?;
    Pid::from_raw(file.lines().next()?.trim().parse().ok()?)
}

fn ports() -> [u16; 4] {
    [(); 4].map(|()| free_port())
}

fn with_ports(mut command: Command, ports: [u16; 4]) -> Command {
    let names = ["API_PORT", "PAGES_PORT", "ADMIN_PORT", "POSTGRES_PORT"];
    for (name, port) in names.into_iter().zip(ports) {
        command.env(name, port.to_string());
    }
    command.args(["up", "--json"]);
    command
}

/// A private server takes the binaries that the tests run on.
fn private(directory: &Path) -> Command {
    let mut command = program(directory);
    if let Some(binaries) = testkit::server::binaries() {
        command.env("POSTGRES_BIN_DIR", binaries);
    }
    command
}

#[tokio::test]
async fn it_serves_stops_and_finds_its_data_again() {
    let directory = directory();
    let up = Up::start(private(directory.path())).await;
    assert_eq!(up.register("acme").await, 201);
    let (status, _) = up.get(up.api, "/tenants/acme/api/ping").await;
    assert_eq!(status, 200);
    let (status, page) = up.get(up.pages, "/").await;
    assert_eq!((status, page.contains("tenant_slug")), (200, true));

    let mut list = program(directory.path());
    let list = Ran::of(
        list.args(["tenant", "list", "--json"])
            .output()
            .await
            .unwrap(),
    );
    assert_eq!(list.json()["tenants"][0]["slug"], "acme");
    let second = with_ports(private(directory.path()), ports())
        .output()
        .await
        .unwrap();
    let second = Ran::of(second);
    assert_eq!(second.code, 1);
    assert!(second.err.contains("TENANTRY_DIR"), "{}", second.err);

    let stopped = up.stop().await;
    assert_eq!(stopped.code, 0, "{}", stopped.err);
    let told: Value = stopped.json();
    assert!(told["docs"].as_str().unwrap().ends_with("/docs"));

    let up = Up::start(private(directory.path())).await;
    let (status, _) = up.get(up.api, "/tenants/acme/api/ping").await;
    assert_eq!(status, 200);
    assert_eq!(up.stop().await.code, 0);
}

#[tokio::test]
async fn a_busy_port_is_told_with_the_variable_that_changes_it() {
    let directory = directory();
    for (place, name) in ["API_PORT", "PAGES_PORT", "ADMIN_PORT", "POSTGRES_PORT"]
        .into_iter()
        .enumerate()
    {
        let ports = ports();
        let _busy = TcpListener::bind(("127.0.0.1", ports[place])).unwrap();
        let command = with_ports(private(directory.path()), ports).output().await;
        let ran = Ran::of(command.unwrap());
        assert_eq!(ran.code, 1);
        let port = ports[place].to_string();
        assert!(
            ran.err.contains(name) && ran.err.contains(&port),
            "{}",
            ran.err
        );
    }
}

#[tokio::test]
async fn a_named_database_is_used_and_no_server_started() {
    let cli = TestCli::new().await;
    let up = Up::start(cli.command()).await;
    assert_eq!(up.register("acme").await, 201);
    let described = up.get(up.api, "/openapi.json").await.1;
    for path in [
        "/tenants/register",
        "/oauth/token",
        "/control/v1/tenants",
        "/health/ready",
    ] {
        assert!(described.contains(&format!("\"{path}\"")), "{path}");
    }
    assert_eq!(up.stop().await.code, 0);
    assert!(!cli.directory.path().join("data").exists());
}

/// The server must not outlive the one who started it, however that ends.
#[tokio::test]
async fn after_a_kill_it_starts_again_and_has_what_was_committed() {
    let directory = directory();
    let mut up = Up::start(private(directory.path())).await;
    assert_eq!(up.register("acme").await, 201);
    up.child.kill().await.unwrap();
    let up = Up::start(private(directory.path())).await;
    let (status, _) = up.get(up.api, "/tenants/acme/api/ping").await;
    assert_eq!(status, 200);
    assert_eq!(up.stop().await.code, 0);
}

#[tokio::test]
async fn asked_to_stop_while_it_starts_it_leaves_nothing_running() {
    let directory = directory();
    let mut child = with_ports(private(directory.path()), ports())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut lines = BufReader::new(child.stderr.as_mut().unwrap());
    lines.read_line(&mut said).await.unwrap();
    assert!(said.contains("starting PostgreSQL"), "{said}");
    ask_to_stop(&child);
    let ran = ended(child).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert_eq!(postgres(directory.path()), None);
}

#[tokio::test]
async fn it_ends_with_its_server_and_says_where_to_look() {
    let directory = directory();
    let up = Up::start(private(directory.path())).await;
    kill_process(postgres(directory.path()).unwrap(), Signal::INT).unwrap();
    let ran = ended(up.child).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("postgres.log"), "{}", ran.err);
}

#[tokio::test]
async fn an_operators_token_opens_the_operators_api() {
    let cli = TestCli::new().await;
    let up = Up::start(cli.command()).await;
    let token = cli.run("token").await.out;
    let url = format!("http://127.0.0.1:{}/control/v1/tenants", up.api);
    let ask = |token: &str| Client::new().get(&url).bearer_auth(token).send();
    assert_eq!(ask(token.trim()).await.unwrap().status(), 200);
    assert_eq!(ask("tnt_op_wrong").await.unwrap().status(), 401);
    assert_eq!(up.stop().await.code, 0);
}

#[tokio::test]
async fn metrics_are_for_the_loopback_and_not_for_the_public_port() {
    let cli = TestCli::new().await;
    let mut command = cli.command();
    command.env("BIND_ADDRESS", "0.0.0.0");
    let up = Up::start(command).await;
    let (status, text) = up.get(up.admin, "/metrics").await;
    assert!(status == 200 && text.contains("service_ready"), "{text}");
    for public in [up.api, up.pages] {
        let (status, text) = up.get(public, "/metrics").await;
        assert!(status >= 400 && !text.contains("service_ready"), "{text}");
        TcpStream::connect(("127.0.0.2", public)).await.unwrap();
    }
    let elsewhere = TcpStream::connect(("127.0.0.2", up.admin)).await;
    assert!(
        elsewhere.is_err(),
        "the admin port is on the loopback alone"
    );
    assert_eq!(up.stop().await.code, 0);
}

#[tokio::test]
async fn it_serves_over_tls() {
    let cli = TestCli::new().await;
    let (place, authority) = (directory(), Authority::new());
    let certificates = place.path().join("certificates");
    let names = ["localhost", "acme.localhost"];
    authority.certificate(&names).put(&certificates, "default");
    let root = place.path().join("ca.pem");
    std::fs::write(&root, authority.pem()).unwrap();
    let mut command = cli.command();
    command.env("TLS_DIRECTORY", &certificates);
    let up = Up::launch(command);

    let curl = async |words: &[&str]| {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--fail", "--cacert"]).arg(&root);
        let ran = Ran::of(curl.args(words).output().await.unwrap());
        (ran.code, ran.out)
    };
    let api = format!("https://localhost:{}", up.api);
    let started = Instant::now();
    let ready = format!("{api}/health/ready");
    while curl(&[&ready]).await.0 != 0 {
        assert!(started.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let application = application("acme").to_string();
    let json = ["-H", "content-type: application/json", "-d", &application];
    let register = format!("{api}/tenants/register");
    let (code, answer) = curl(&[&[register.as_str()], &json[..]].concat()).await;
    assert_eq!(code, 0);
    let subdomain = format!("https://acme.localhost:{}", up.api);
    assert!(answer.contains(&subdomain), "{answer}");
    // The pages ask the API of their own process.
    let page = format!("https://acme.localhost:{}/sign-in", up.pages);
    let (_, page) = curl(&[&page]).await;
    assert!(page.contains("name=\"password\""), "{page}");
    let plain = format!("http://localhost:{}/health/live", up.api);
    assert_ne!(curl(&[&plain]).await.0, 0);
    assert_eq!(up.stop().await.code, 0);

    let mut command = cli.command();
    command.env("TLS_DIRECTORY", place.path().join("absent"));
    let ran = Ran::of(with_ports(command, ports()).output().await.unwrap());
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("TLS_DIRECTORY"), "{}", ran.err);
}

#[tokio::test]
async fn it_is_up_when_everything_answers_and_says_before_what_does_not() {
    let cli = TestCli::new().await;
    let admin = connect(&cli.database.admin()).await.unwrap();
    let name = cli.database.name();
    let control = |change: &str| format!("ALTER ROLE tenantry_control IN DATABASE {name} {change}");
    let read_only = control("SET default_transaction_read_only TO on");
    admin.batch_execute(&read_only).await.unwrap();
    let mut up = Up::launch(cli.command());
    let mut said = BufReader::new(up.child.stderr.take().unwrap()).lines();
    let waits = async {
        loop {
            let line = said.next_line().await.unwrap().unwrap();
            if line.contains("not up yet") {
                return line;
            }
        }
    };
    let line = tokio::time::timeout(Duration::from_secs(60), waits).await;
    let line = line.unwrap();
    assert!(line.contains("control-database-writes"), "{line}");

    let reset = control("RESET default_transaction_read_only");
    admin.batch_execute(&reset).await.unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE usename = 'tenantry_control' AND datname = current_database()";
    admin.batch_execute(end).await.unwrap();
    let mut shown = BufReader::new(up.child.stdout.take().unwrap()).lines();
    let first = tokio::time::timeout(Duration::from_secs(60), shown.next_line()).await;
    assert_eq!(first.unwrap().unwrap().unwrap(), "{");
    assert!(up.is_ready().await);
    ask_to_stop(&up.child);
    assert!(up.child.wait().await.unwrap().success());
}
