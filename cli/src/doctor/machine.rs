//! The machine: room, programs, ports.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
};

use service::settings::{Network, from_environment};

use super::Finding;
use crate::local::Local;

/// What a run of the product may need, in bytes: the server's own files and room to work.
const ROOM: u64 = 1024 * 1024 * 1024;
const MIB: u64 = 1024 * 1024;

pub(super) fn disk(directory: &Path) -> Finding {
    let there = directory.ancestors().find(|path| path.exists());
    // A relative path's last ancestor is the empty one, which is here.
    let place = there
        .filter(|path| !path.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let free = rustix::fs::statvfs(place).map(|fs| fs.f_bavail.saturating_mul(fs.f_frsize));
    let look = free.map_err(Into::into).and_then(|free| {
        let text = format!("{} MiB free at {}", free / MIB, place.display());
        anyhow::ensure!(free >= ROOM, "{text}; {} MiB are needed", ROOM / MIB);
        Ok(text)
    });
    Finding::new("disk", look)
}

pub(super) fn programs(directory: Option<&Path>) -> Finding {
    let found = local_postgres::find_binaries(directory).map_err(Into::into);
    let text = found.map(|programs| {
        let place = programs.directory().display();
        format!("version {} in {place}", programs.major())
    });
    Finding::new("PostgreSQL's programs", text)
}

/// The ports that `up` would take.
pub(super) fn ports(local: &Local, private: bool) -> Vec<Finding> {
    let network: Network = from_environment();
    let mut wanted = vec![
        ("API_PORT", network.on(local.api_port)),
        ("PAGES_PORT", network.on(local.pages_port)),
        ("ADMIN_PORT", network.admin()),
    ];
    if private {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, local.postgres_port));
        wanted.push(("POSTGRES_PORT", loopback));
    }
    wanted
        .into_iter()
        .map(|(variable, address)| port(variable, address))
        .collect()
}

fn port(variable: &'static str, address: SocketAddr) -> Finding {
    let free = match TcpListener::bind(address) {
        Ok(_) => Ok(format!("{} is free", address.port())),
        Err(cause) => Err(anyhow::anyhow!(
            "{}: {cause}. Set {variable} to another",
            address.port()
        )),
    };
    Finding::new(variable, free)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Standing;

    #[test]
    fn a_busy_port_is_found_with_the_variable_that_changes_it() {
        let busy = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = busy.local_addr().unwrap();
        let found = port("API_PORT", address);
        assert!(found.standing == Standing::Fail && found.detail.contains("API_PORT"));
        drop(busy);
        assert!(port("API_PORT", address).standing == Standing::Ok);
    }

    #[test]
    fn room_is_looked_for_where_the_directory_will_be() {
        let place = tempfile::tempdir().unwrap();
        let found = disk(&place.path().join("not/yet"));
        assert!(found.detail.contains(&place.path().display().to_string()));
    }
}
