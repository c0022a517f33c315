//! Every way to name a tenant, with the services apart and over both schemes.

use e2e::{
    System,
    gateway::{Behind, Gateway},
    process::built,
    services::Services,
};
use reqwest::Client;
use serde_json::Value;
use tokio::process::Command;

use super::{application, tls};

const BASE: &str = "tenants.example";

async fn tenantry(system: &System, arguments: &[&str]) {
    let output = Command::new(built("tenantry"))
        .args(arguments)
        .current_dir(system.directory())
        .env("TENANTRY_DIR", system.data())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
}

#[tokio::test]
async fn a_tenant_is_named_every_way_over_http_and_tls() {
    let system = System::start_with(&[("BASE_DOMAIN", BASE)]).await;
    let signed_up = system.post("/tenants/register", &application("acme"));
    let signed_up: Value = signed_up.send().await.unwrap().json().await.unwrap();
    let id = signed_up["tenant"]["id"].as_str().unwrap();
    let domain = "notes.acme.example";
    for action in ["add", "verify"] {
        tenantry(&system, &["tenant", "domain", action, "acme", domain]).await;
    }
    let certificates = system.directory().join("certificates");
    tls::issue(
        &certificates,
        "tenants.example",
        &[BASE, "*.tenants.example"],
    );
    std::os::unix::fs::symlink(BASE, certificates.join("_.tenants.example")).unwrap();
    tls::issue(&certificates, domain, &[domain]);
    let behind = Behind(system.api, system.api, system.pages);
    let settings = [
        ("BASE_DOMAIN", BASE),
        ("CERTIFICATES", certificates.to_str().unwrap()),
    ];
    let gateway = Gateway::start_with(system.directory(), behind, &settings).await;

    let by_path = "/tenants/acme/api/ping";
    let by_id = format!("X-Tenant-ID: {id}");
    for (way, host, path, header) in [
        ("header", BASE, "/api/ping", "X-Tenant-Slug: acme"),
        ("id", BASE, "/api/ping", by_id.as_str()),
        (
            "subdomain",
            "acme.tenants.example",
            "/api/ping",
            "X-None: 1",
        ),
        ("custom domain", domain, "/api/ping", "X-None: 1"),
        ("path", BASE, by_path, "X-None: 1"),
    ] {
        let file = if host == domain { domain } else { BASE };
        let trusted = certificates.join(file).join("fullchain.pem");
        for (scheme, port) in [("http", gateway.api), ("https", gateway.api_tls)] {
            let url = format!("{scheme}://{host}:{port}{path}");
            let answer = tls::curl(&url, &trusted, &["-H", header]).await;
            let body: Value = serde_json::from_str(&answer.body).unwrap();
            assert_eq!(body["tenant"], "acme", "{way} over {scheme}");
        }
    }
}

/// The same through nginx and in one process.
async fn prefix_leads_to_a_tenants_routes_alone(port: u16) {
    let client = Client::builder().no_proxy().build().unwrap();
    let at = |path: &str| client.get(format!("http://127.0.0.1:{port}/tenants/acme{path}"));
    for path in [
        "/control/v1/tenants",
        "/tenants/register?slug=globex",
        "/tenants/list",
        "/health",
        "/health/live",
        "/docs",
        "/docs/",
        "/openapi.json",
    ] {
        let refused = at(path).send().await.unwrap();
        assert_eq!(refused.status(), 404, "{path} on {port}");
    }
    assert_eq!(
        at("/tenants/info").send().await.unwrap().status(),
        200,
        "{port}"
    );
}

#[tokio::test]
async fn the_services_apart_are_one_behind_the_gateway() {
    let system = System::start().await;
    let services = Services::start(&system).await;
    let behind = Behind(services.control, services.data, services.pages);
    let gateway = Gateway::start(system.directory(), behind).await;
    let client = Client::builder().no_proxy().build().unwrap();
    let at = |path: &str| format!("http://127.0.0.1:{}{path}", gateway.api);

    for slug in ["acme", "globex"] {
        let request = client.post(at("/tenants/register"));
        let request = request.json(&application(slug));
        assert_eq!(request.send().await.unwrap().status(), 201);
    }
    for request in [
        client.get(at("/api/ping")).header("X-Tenant-Slug", "acme"),
        client.get(at("/api/ping")).header("Host", "acme.localhost"),
        client.get(at("/tenants/acme/api/ping")),
    ] {
        let body: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(body["tenant"], "acme");
    }
    prefix_leads_to_a_tenants_routes_alone(gateway.api).await;
    prefix_leads_to_a_tenants_routes_alone(system.api).await;
    let disagreeing = client.get(at("/tenants/acme/api/ping"));
    let disagreeing = disagreeing.header("X-Tenant-Slug", "globex");
    assert_eq!(disagreeing.send().await.unwrap().status(), 400);
    let list = client.get(at("/control/v1/tenants")).send().await.unwrap();
    assert_eq!(list.status(), 401);
    let health = client.get(at("/health/ready")).send().await.unwrap();
    assert_eq!(health.status(), 200);
    let described = client.get(at("/openapi.json")).send().await.unwrap();
    let described: Value = described.json().await.unwrap();
    for path in ["/tenants/register", "/control/v1/tenants", "/api/notes"] {
        assert!(described["paths"][path].is_object(), "{path}");
    }
    for (host, words) in [("localhost", "tenant_slug"), ("acme.localhost", "Sign in")] {
        let page = client.get(format!("http://127.0.0.1:{}/", gateway.pages));
        let page = page.header("Host", host).send().await.unwrap();
        assert!(page.text().await.unwrap().contains(words), "{host}");
    }
    services.stop().await;
}
