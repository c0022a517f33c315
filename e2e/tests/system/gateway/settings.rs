//! Settings that are refused before nginx sees them.

use std::process::Command;

const CONFIGURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docker/nginx/configure");

/// Whether a configuration is made under one setting, and what is said.
fn configure(name: &str, value: &str) -> (bool, String) {
    let directory = super::directory();
    let output = Command::new("sh")
        .arg(CONFIGURE)
        .arg(directory.path().join("nginx"))
        .envs([
            ("CONTROL_UPSTREAM", "127.0.0.1:1"),
            ("DATA_UPSTREAM", "127.0.0.1:2"),
            ("PAGES_UPSTREAM", "127.0.0.1:3"),
            (name, value),
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), said)
}

#[test]
fn no_setting_adds_a_directive() {
    for (name, value) in [
        ("API_LISTEN", "8080; evil on"),
        ("API_TLS_LISTEN", "8443 {"),
        ("PAGES_LISTEN", "$host"),
        ("CONTROL_UPSTREAM", "127.0.0.1:1;evil"),
        ("DATA_UPSTREAM", "127.0.0.1"),
        ("PAGES_UPSTREAM", "pages.example:1;evil"),
        ("BASE_DOMAIN", "localhost;evil"),
        ("BASE_DOMAIN", "default"),
        ("PLATFORM_HOSTS", "one.example,two\"example"),
        ("PLATFORM_HOSTS", "one.example:80"),
        ("API_PUBLIC_URL", "https://a;b/"),
        ("PAGES_PUBLIC_URL", "https://a b/"),
        ("GATEWAY_TRUSTS", "10.0.0.0/8 1;evil"),
        ("GATEWAY_ADDRESS_RATE", "many"),
        ("GATEWAY_TENANT_RATE", "-1"),
        ("GATEWAY_TENANT_CONNECTIONS", "1.5"),
        ("GATEWAY_LIMITS_MEMORY", "10"),
        ("GATEWAY_LIMITS_MEMORY", "10m;"),
        ("GATEWAY_LIMITS_MEMORY", "m"),
        ("CLIENT_TIMEOUT_SECONDS", "15s"),
        ("GATEWAY_WORKERS", "2;"),
    ] {
        let (made, said) = configure(name, value);
        assert!(!made, "{name}={value}");
        assert!(said.starts_with("gateway: "), "{name}={value}: {said}");
    }
}

#[test]
fn what_is_plain_is_taken() {
    for (name, value) in [
        ("API_LISTEN", "[::]:8080"),
        ("API_LISTEN", "127.0.0.1:8080"),
        ("PLATFORM_HOSTS", "one.example,two.example"),
        ("PLATFORM_HOSTS", "localhost, One.Example.,one.example,"),
        ("API_PUBLIC_URL", "https://user@API.example:8443/v1?a#b"),
        ("API_PUBLIC_URL", "http://[::1]:8080"),
        ("PAGES_PUBLIC_URL", "http://localhost:8000/"),
        ("GATEWAY_TRUSTS", "10.0.0.0/8 192.0.2.1"),
        ("GATEWAY_ADDRESS_RATE", "0500"),
        ("GATEWAY_TENANT_RATE", "0"),
        ("GATEWAY_LIMITS_MEMORY", "512k"),
    ] {
        let (made, said) = configure(name, value);
        assert!(made && said.is_empty(), "{name}={value}: {said}");
    }
}
