//! PgBouncer in transaction mode, before PostgreSQL: it carries no notifications, and is refused.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Stdio};

use e2e::{
    System,
    process::{built, free_port, installed, start, until},
};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
};

/// Starts PgBouncer in a directory; the data plane's login has this password.
async fn pooler(directory: &Path, mode: &str, database: &str, password: &str) -> (u16, Child) {
    let port = free_port();
    let (users, settings) = (directory.join("users"), directory.join("pgbouncer.ini"));
    fs::write(&users, format!("\"tenantry_data\" \"{password}\"\n")).unwrap();
    let text = format!(
        "[databases]\ntenantry = {database}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
         listen_port = {port}\nauth_type = scram-sha-256\nauth_file = {}\npool_mode = {mode}\n\
         unix_socket_dir =\n",
        users.display()
    );
    fs::write(&settings, text).unwrap();
    for file in [&users, &settings] {
        fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let mut command = Command::new(installed("pgbouncer"));
    // It does not run as root.
    if rustix::process::geteuid().is_root() {
        command.args(["-u", "nobody"]);
    }
    let process = start(
        command
            .arg(&settings)
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    );
    until("PgBouncer", async || {
        TcpStream::connect(("127.0.0.1", port)).await.is_ok()
    })
    .await;
    (port, process)
}

#[tokio::test]
async fn a_pooler_in_transaction_mode_is_refused_at_the_start() {
    let system = System::start().await;
    let address = local_postgres::running(&system.data()).unwrap().unwrap();
    let port = address.port().unwrap();
    let password = fs::read_to_string(system.data().join("secrets/data-password")).unwrap();
    let password = password.trim();
    let database = format!("host=127.0.0.1 port={port} dbname=tenantry");
    let (pooled, _pooler) = pooler(system.directory(), "transaction", &database, password).await;
    let url = format!("postgres://tenantry_data:{password}@127.0.0.1:{pooled}/tenantry");
    let output = Command::new(built("data-plane"))
        .env("DATA_DATABASE_URL", url)
        .env("DATA_PORT", free_port().to_string())
        .env("ADMIN_PORT", free_port().to_string())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("a pooler in transaction mode"), "{said}");
}
