//! TLS towards PostgreSQL, on a server of the test's own that has a certificate.

use std::fs;

use control_plane::{Logins, bootstrap};
use tempfile::TempDir;
use tenancy::db::Login;
use testkit::{
    certificates::{Authority, Certificate},
    database::connect,
    port::free_port,
    server::{Scratch, scratch_on},
};
use tokio_postgres::error::SqlState;

/// A server that answers on loopback, and what its superuser's URLs have in common.
struct Encrypted {
    server: Scratch,
    place: TempDir,
    port: u16,
}

impl Encrypted {
    /// Starts one; none where the programs were built without TLS.
    async fn start(certificate: Option<&Certificate>) -> Option<Self> {
        let port = free_port();
        let server = scratch_on(Some(port)).await.unwrap();
        let admin: Login = server.admin_url().parse().unwrap();
        let client = connect(&admin).await.unwrap();
        client
            .batch_execute("ALTER ROLE postgres PASSWORD 'x'")
            .await
            .unwrap();
        let admin = admin.with("postgres", "x");
        if let Some(Certificate { chain, key }) = certificate {
            // Written by the server itself, which may be another user.
            for (file, text) in [("server.crt", chain), ("server.key", key)] {
                let sql = format!(
                    "COPY (SELECT unnest(string_to_array('{}', E'\\n'))) TO PROGRAM \
                     'umask 077; cat > {file}'",
                    text.trim_end()
                );
                client.batch_execute(&sql).await.unwrap();
            }
            let on = client.batch_execute("ALTER SYSTEM SET ssl = on").await;
            if let Err(cause) = on {
                assert_eq!(cause.code(), Some(&SqlState::INVALID_PARAMETER_VALUE));
                return None;
            }
            client
                .batch_execute("SELECT pg_reload_conf()")
                .await
                .unwrap();
            // What a session is told, the server has heard before it began.
            let on = "SELECT current_setting('ssl') = 'on'";
            while !connect(&admin)
                .await
                .unwrap()
                .query_one(on, &[])
                .await
                .unwrap()
                .get::<_, bool>(0)
            {
                tokio::task::yield_now().await;
            }
        }
        let place = TempDir::new().unwrap();
        Some(Self {
            server,
            place,
            port,
        })
    }

    /// The superuser's way to it under a name, trusting an authority.
    fn login(&self, host: &str, trusted: &Authority) -> Login {
        let roots = self.place.path().join("ca.pem");
        fs::write(&roots, trusted.pem()).unwrap();
        let url = format!(
            "postgres://postgres:x@{host}:{}/postgres?sslmode=verify-full&sslrootcert={}",
            self.port,
            roots.display()
        );
        url.parse().unwrap()
    }
}

#[tokio::test]
async fn a_database_is_made_ready_and_used_over_tls() {
    let authority = Authority::new();
    let certificate = authority.certificate(&["localhost"]);
    let Some(encrypted) = Encrypted::start(Some(&certificate)).await else {
        println!("[skipped] this PostgreSQL is built without TLS");
        return;
    };
    let admin = encrypted.login("localhost", &authority);
    let logins = Logins {
        control: "control's own".into(),
        data: "data's own".into(),
    };
    bootstrap(&admin, &logins, &bootstrap::Options::default())
        .await
        .unwrap();
    for login in [admin.clone(), logins.control(&admin), logins.data(&admin)] {
        let client = connect(&login).await.unwrap();
        let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        assert!(client.query_one(sql, &[]).await.unwrap().get::<_, bool>(0));
    }
    encrypted.server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_not_who_it_should_be_gets_no_password() {
    let authority = Authority::new();
    let certificate = authority.certificate(&["localhost"]);
    let Some(encrypted) = Encrypted::start(Some(&certificate)).await else {
        println!("[skipped] this PostgreSQL is built without TLS");
        return;
    };
    let trusted = encrypted.login("localhost", &authority);
    assert!(connect(&trusted).await.is_ok());
    let by_address = encrypted.login("127.0.0.1", &authority);
    let stranger = encrypted.login("localhost", &Authority::new());
    for login in [by_address, stranger] {
        let fault = connect(&login).await.unwrap_err();
        assert!(
            format!("{fault:?}").contains("invalid peer certificate"),
            "{fault:?}"
        );
    }
    encrypted.server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_without_tls_is_refused() {
    let plain = Encrypted::start(None).await.unwrap();
    let fault = connect(&plain.login("localhost", &Authority::new())).await;
    let fault = format!("{:?}", fault.unwrap_err());
    assert!(fault.contains("does not support TLS"), "{fault}");
    plain.server.stop().await.unwrap();
}
