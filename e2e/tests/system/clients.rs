//! OAuth clients that others wrote, unmodified, against two tenants by host and by path through nginx.

#![allow(clippy::print_stdout, reason = "why it was skipped")]

use std::path::Path;

use e2e::{
    System,
    gateway::{Behind, Gateway},
    process::free_port,
    python::Python,
    services::Services,
};
use serde_json::{Value, json};
use testkit::rounds;

const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients");
const PASSWORD: &str = "correct horse battery";
const CLIENTS: [&str; 4] = [
    "authlib_requests.py",
    "authlib_httpx.py",
    "requests_oauth.py",
    "httpx_oauth_client.py",
];

/// Signs a tenant up and registers its client.
async fn tenant(system: &System, slug: &str) -> Value {
    let application = json!({
        "tenant_name": slug, "tenant_slug": slug, "admin_username": "ada",
        "admin_email": "ada@example.com", "admin_password": PASSWORD,
    });
    let made = system.post("/tenants/register", &application).send().await;
    assert_eq!(made.unwrap().status(), 201);
    let under = |path: &str| format!("/tenants/{slug}{path}");
    let body = json!({"username": "ada", "password": PASSWORD});
    let answer = system.post(&under("/oauth/login"), &body).send().await;
    let cookie = answer.unwrap().headers()["set-cookie"].clone();
    let body = json!({
        "client_name": "examined", "scope": "openid profile email read write",
        "grant_types": ["password", "client_credentials", "refresh_token"],
    });
    let request = system.post(&under("/oauth/client/register"), &body);
    let answer = request.header("cookie", cookie).send().await.unwrap();
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// The input of a program: the tenants under their base addresses, the last of which has a low rate,
/// and who refuses everything.
fn input(at: impl Fn(&str) -> String, tenants: &[(&str, Value)], refusing: &str) -> String {
    let entry = |(slug, client): &(&str, Value)| {
        json!([at(slug), client["client_id"], client["client_secret"]])
    };
    let [both @ .., limited] = tenants else {
        panic!("no tenants")
    };
    let both: Vec<Value> = both.iter().map(entry).collect();
    json!({ "tenants": both, "limited": entry(limited), "refusing": [refusing] }).to_string()
}

#[tokio::test]
async fn unmodified_clients_are_served_by_host_and_by_path() {
    let python = match Python::of("oauth-clients") {
        Ok(python) => python,
        Err(reason) => return println!("[skipped] {reason}"),
    };
    let system = System::start().await;
    let services = Services::start(&system).await;
    let behind = Behind(services.control, services.data, services.pages);
    let gateway = Gateway::start(system.directory(), behind).await;
    let nobody = Behind(free_port(), free_port(), free_port());
    let apart = system.directory().join("apart");
    let unavailable = Gateway::start(&apart, nobody).await;
    let refusing = format!("http://acme.localhost:{}", unavailable.api);
    let mut tenants = Vec::new();
    for slug in ["acme", "globex", "limited"] {
        tenants.push((slug, tenant(&system, slug).await));
    }
    let slow = "UPDATE platform.plans SET requests_per_second = 1 WHERE name = 'basic'; \
        UPDATE platform.tenants SET plan = 'basic' WHERE slug = 'limited'";
    system.database().await.batch_execute(slow).await.unwrap();
    let host = |slug: &str| format!("http://{slug}.localhost:{}", gateway.api);
    let path = |slug: &str| format!("http://localhost:{}/tenants/{slug}", gateway.api);
    for program in CLIENTS.iter().take(rounds(1, CLIENTS.len())) {
        for input in [
            input(host, &tenants, &refusing),
            input(path, &tenants, &refusing),
        ] {
            let said = python
                .tell(&Path::new(PROGRAMS).join(program), &input)
                .await;
            assert!(said.ends_with("steps\n"), "{program}: {said}");
        }
    }
}
