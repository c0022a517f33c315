//! Through real nginx, under the configuration that production has.

use e2e::{System, gateway::Gateway, services::Services};
use reqwest::Client;
use serde_json::{Value, json};

fn application(slug: &str) -> Value {
    json!({
        "tenant_name": slug, "tenant_slug": slug, "admin_username": "ada",
        "admin_email": "ada@example.com", "admin_password": "correct horse battery",
    })
}

#[tokio::test]
async fn a_tenant_is_named_through_the_gateway_as_without_it() {
    let system = System::start().await;
    let gateway = Gateway::start(system.directory(), system.api, system.api, system.pages).await;
    let client = Client::builder().no_proxy().build().unwrap();
    let at = |path: &str| format!("http://127.0.0.1:{}{path}", gateway.api);

    for slug in ["acme", "globex"] {
        let request = client
            .post(at("/tenants/register"))
            .json(&application(slug));
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
    let disagreeing = client
        .get(at("/tenants/acme/api/ping"))
        .header("X-Tenant-Slug", "globex");
    assert_eq!(disagreeing.send().await.unwrap().status(), 400);
    let health = client.get(at("/health/ready")).send().await.unwrap();
    assert_eq!(health.status(), 200);
    let page = client
        .get(format!("http://localhost:{}/", gateway.pages))
        .send()
        .await
        .unwrap();
    assert!(page.text().await.unwrap().contains("tenant_slug"));
}

#[tokio::test]
async fn the_services_apart_are_one_behind_the_gateway() {
    let system = System::start().await;
    let services = Services::start(&system).await;
    let (control, data, pages) = (services.control, services.data, services.pages);
    let gateway = Gateway::start(system.directory(), control, data, pages).await;
    let client = Client::builder().no_proxy().build().unwrap();
    let at = |path: &str| format!("http://127.0.0.1:{}{path}", gateway.api);

    let request = client
        .post(at("/tenants/register"))
        .json(&application("acme"));
    assert_eq!(request.send().await.unwrap().status(), 201);
    let ping = client
        .get(at("/tenants/acme/api/ping"))
        .send()
        .await
        .unwrap();
    let body: Value = ping.json().await.unwrap();
    assert_eq!(body["tenant"], "acme");
    let list = client.get(at("/control/v1/tenants")).send().await.unwrap();
    assert_eq!(list.status(), 401);
    let page = client.get(format!("http://127.0.0.1:{}/", gateway.pages));
    let page = page.header("Host", "acme.localhost").send().await.unwrap();
    assert!(page.text().await.unwrap().contains("Sign in"));
    services.stop().await;
}
