//! Settings that every service shares. Each is a command line option and an environment
//! variable; `--help` and `.env.example` list them all.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, Command, Parser, ValueEnum};
use url::Url;

use crate::{
    hosts::Host,
    tls::{self, Tls},
};

/// Where a service listens and whom it believes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Network")]
pub struct Network {
    /// Address to listen on
    #[arg(long, env, default_value = "127.0.0.1")]
    pub bind_address: IpAddr,
    /// Address of metrics and health, apart from the public one: whoever reaches it reads them
    #[arg(long, env, default_value = "127.0.0.1")]
    pub admin_bind_address: IpAddr,
    /// Port of metrics and health, apart from the public one
    #[arg(long, env, default_value_t = 8081)]
    pub admin_port: u16,
    /// Proxies whose X-Forwarded-For is believed: addresses or CIDR blocks
    #[arg(
        long,
        env,
        value_delimiter = ',',
        default_value = "127.0.0.0/8,::1/128"
    )]
    pub trusted_proxies: Vec<Block>,
    /// Most connections served at once; further ones wait to be accepted
    #[arg(long, env, default_value_t = 10_000)]
    pub max_connections: usize,
    /// Seconds that a client may take to send a request's head, again its body, and again to take
    /// a part of the answer
    #[arg(long, env, default_value_t = 15)]
    pub client_timeout_seconds: u64,
    /// Directory of certificates to serve TLS with, each in a folder of its own as fullchain.pem
    /// and privkey.pem; read again when they change [default: none, plain HTTP]
    #[arg(long, env)]
    pub tls_directory: Option<PathBuf>,
    /// Seconds that requests under way may take once a stop is asked for
    #[arg(long, env, default_value_t = 20)]
    pub drain_seconds: u64,
}

impl Network {
    /// Whether an address is a trusted proxy's.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies
            .iter()
            .any(|block| block.contains(address))
    }

    /// Seconds that a client of ours may keep a connection it does not use: fewer than a service
    /// waits on one, so that no request is sent to a service that is about to close it.
    #[must_use]
    pub fn kept_seconds(&self) -> u64 {
        self.client_timeout_seconds * 2 / 3
    }

    /// The certificates that public ports are served with, if any.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub fn tls(&self) -> Result<Option<Tls>, tls::Error> {
        self.tls_directory.as_deref().map(Tls::read).transpose()
    }

    /// The address to listen on for a public port.
    #[must_use]
    pub fn on(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.bind_address, port)
    }

    /// The address to listen on for metrics and health.
    #[must_use]
    pub fn admin(&self) -> SocketAddr {
        SocketAddr::new(self.admin_bind_address, self.admin_port)
    }
}

impl Default for Network {
    fn default() -> Self {
        defaults()
    }
}

/// A CIDR block such as `10.0.0.0/8`, or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    address: IpAddr,
    prefix: u8,
}

impl Block {
    /// Whether the block holds an address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                let shift = 32 - u32::from(self.prefix);
                a.to_bits().checked_shr(shift) == b.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                let shift = 128 - u32::from(self.prefix);
                a.to_bits().checked_shr(shift) == b.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

impl std::str::FromStr for Block {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fault = || format!("'{text}' is neither an address nor a CIDR block");
        let (address, prefix) = text
            .split_once('/')
            .map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.trim().parse().map_err(|_| fault())?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(widest), |p| p.trim().parse().map_err(|_| fault()))?;
        if prefix > widest {
            Err(fault())
        } else {
            Ok(Self { address, prefix })
        }
    }
}

/// What the outside calls us.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Addresses")]
pub struct Addresses {
    /// Parent domain: a tenant lives at {slug}.BASE_DOMAIN
    #[arg(long, env, default_value = "localhost", value_parser = domain)]
    pub base_domain: String,
    /// Further host names that are the platform's own and name no tenant, with commas between
    #[arg(long, env, value_delimiter = ',', value_parser = platform_host)]
    pub platform_hosts: Vec<String>,
    /// The API's address as clients see it [default: http://BASE_DOMAIN:8080]
    #[arg(long, env)]
    pub api_public_url: Option<Url>,
    /// The pages' address as browsers see it [default: http://BASE_DOMAIN:8000]
    #[arg(long, env)]
    pub pages_public_url: Option<Url>,
}

impl Addresses {
    /// The API's address for one tenant's host, without a trailing slash.
    #[must_use]
    pub fn api_of(&self, host: &str) -> String {
        on_host(&self.api(), host)
    }

    /// The pages' address for one tenant's host, without a trailing slash.
    #[must_use]
    pub fn pages_of(&self, host: &str) -> String {
        on_host(&self.pages(), host)
    }

    /// The API's public address.
    #[must_use]
    pub fn api(&self) -> Url {
        self.api_public_url
            .clone()
            .unwrap_or_else(|| self.at("http", 8080))
    }

    /// The pages' public address.
    #[must_use]
    pub fn pages(&self) -> Url {
        self.pages_public_url
            .clone()
            .unwrap_or_else(|| self.at("http", 8000))
    }

    /// Whether browsers reach us over TLS, so that cookies can demand it.
    #[must_use]
    pub fn secure(&self) -> bool {
        self.api().scheme() == "https"
    }

    /// A tenant's own subdomain.
    #[must_use]
    pub fn subdomain(&self, slug: &str) -> String {
        format!("{slug}.{}", self.base_domain)
    }

    /// Fills in the public addresses for ports that differ from the usual ones, served over TLS
    /// or not.
    #[must_use]
    pub fn with_ports(mut self, api: u16, pages: u16, tls: bool) -> Self {
        let scheme = if tls { "https" } else { "http" };
        self.api_public_url = Some(
            self.api_public_url
                .take()
                .unwrap_or_else(|| self.at(scheme, api)),
        );
        self.pages_public_url = Some(
            self.pages_public_url
                .take()
                .unwrap_or_else(|| self.at(scheme, pages)),
        );
        self
    }

    fn at(&self, scheme: &str, port: u16) -> Url {
        let mut url = Url::parse("http://localhost").unwrap_or_else(|_| unreachable!("constant"));
        let _ = url.set_scheme(scheme);
        let _ = url.set_host(Some(&self.base_domain));
        let _ = url.set_port(Some(port));
        url
    }
}

impl Default for Addresses {
    fn default() -> Self {
        defaults()
    }
}

fn on_host(base: &Url, host: &str) -> String {
    let mut url = base.clone();
    let _ = url.set_host(Some(host));
    url.as_str().trim_end_matches('/').to_owned()
}

fn domain(text: &str) -> Result<String, String> {
    let host: Host = text.parse().map_err(|fault| format!("'{text}' {fault}"))?;
    Ok(host.to_string())
}

/// A variable that is set and empty, or ends with a comma, names none.
fn platform_host(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Ok(String::new()),
        text => domain(text),
    }
}

/// How logs are written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Logs")]
pub struct Logging {
    /// Shape of log lines
    #[arg(long, env, value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
    /// What is logged, as a tracing filter such as `info` or `info,data_plane=debug`
    #[arg(long, env, default_value = "info")]
    pub log_level: String,
}

/// The shape of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

/// A group of settings at its defaults, whatever the environment says.
#[must_use]
pub fn defaults<T: Args>() -> T {
    parsed(|command| command.mut_args(|argument| argument.env(None::<&str>)))
}

/// A group of settings as the environment has it, and at its defaults for the rest.
#[must_use]
pub fn from_environment<T: Args>() -> T {
    parsed(without_empty)
}

/// A program's options, from its command line and the environment.
#[must_use]
pub fn parse<T: Parser>() -> T {
    let mut matches = without_empty(T::command()).get_matches();
    T::from_arg_matches_mut(&mut matches).unwrap_or_else(|fault| fault.exit())
}

/// A command to which an environment variable that is empty is one that is not set: compose files and
/// shells pass on what is not set as empty.
#[must_use]
pub fn without_empty(command: Command) -> Command {
    let command = command.mut_args(|argument| {
        let value = argument.get_env().and_then(std::env::var_os);
        if value.is_some_and(|value| value.is_empty()) {
            argument.env(None::<&str>)
        } else {
            argument
        }
    });
    command.mut_subcommands(without_empty)
}

fn parsed<T: Args>(change: impl FnOnce(Command) -> Command) -> T {
    let command = change(T::augment_args(Command::new("settings")));
    let matches = command.try_get_matches_from(["settings"]);
    match matches.and_then(|mut matches| T::from_arg_matches_mut(&mut matches)) {
        Ok(settings) => settings,
        Err(error) => error.exit(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_their_own_and_refuse_nonsense() {
        let block: Block = "10.1.0.0/16".parse().unwrap();
        assert!(block.contains("10.1.255.1".parse().unwrap()));
        assert!(!block.contains("10.2.0.1".parse().unwrap()));
        assert!(!block.contains("::1".parse().unwrap()));
        let all: Block = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("203.0.113.1".parse().unwrap()));
        for nonsense in ["", "10.0.0.0/33", "::1/129", "x/8", "10.0.0.0/-1"] {
            assert!(nonsense.parse::<Block>().is_err(), "{nonsense}");
        }
    }

    #[test]
    fn a_tenants_address_keeps_scheme_and_port() {
        let addresses = Addresses::default().with_ports(9080, 9000, false);
        let host = addresses.subdomain("acme");
        assert_eq!(addresses.api_of(&host), "http://acme.localhost:9080");
        assert_eq!(addresses.pages_of(&host), "http://acme.localhost:9000");
        assert!(!addresses.secure());
        let tls = Addresses::default().with_ports(9080, 9000, true);
        assert_eq!(tls.pages_of(&host), "https://acme.localhost:9000");
        assert!(tls.secure());
    }

    #[test]
    fn defaults_never_come_from_the_environment() {
        #[derive(Args)]
        struct Probe {
            #[arg(long, env = "PATH", default_value = "the default")]
            path: String,
        }
        assert_eq!(defaults::<Probe>().path, "the default");
        let path = std::env::var("PATH").unwrap();
        assert_eq!(from_environment::<Probe>().path, path);
    }

    #[test]
    fn an_empty_variable_is_one_that_is_not_set() {
        const NAME: &str = "TENANTRY_TEST_EMPTY";
        #[derive(Args)]
        struct Probe {
            #[arg(long, env = NAME, default_value_t = 7)]
            number: u16,
        }
        // As it is in a process of its own, whose environment this is.
        let program = std::env::current_exe().unwrap();
        if std::env::var_os(NAME).is_none() {
            let mut command = std::process::Command::new(program);
            let name = "settings::tests::an_empty_variable_is_one_that_is_not_set";
            let output = command
                .args(["--exact", name])
                .env(NAME, "")
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success() && said.contains("1 passed"),
                "{said}"
            );
            return;
        }
        assert_eq!(from_environment::<Probe>().number, 7);
    }

    #[test]
    fn base_domains_are_lowercased_and_checked() {
        assert_eq!(domain("Example.COM."), Ok("example.com".to_owned()));
        assert_eq!(domain("bücher.de"), Ok("xn--bcher-kva.de".to_owned()));
        for nonsense in ["", "a b", "host:80", "http://x"] {
            assert!(domain(nonsense).is_err(), "{nonsense}");
        }
        assert_eq!(platform_host(" WWW.example.com"), domain("www.example.com"));
        assert_eq!(platform_host(" "), Ok(String::new()));
        assert!(platform_host("www.example.com:80").is_err());
    }
}
