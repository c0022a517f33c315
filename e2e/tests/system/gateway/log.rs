//! The access log.

use testkit::hosts::{SETTINGS, TABLE, Whose};

use super::Fixture;

#[tokio::test]
async fn a_line_holds_tenant_and_request_id_and_no_secret() {
    let fixture = Fixture::start(&[]).await;
    let client = super::client_at([127, 0, 0, 1]);
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    for (number, (host, path, header, tenant)) in [
        ("localhost", "/api/ping", ("X-Tenant-Slug", "acme"), "acme"),
        ("localhost", "/api/ping", ("X-Tenant-ID", id), id),
        (
            "localhost",
            "/tenants/acme/api/ping",
            ("X-None", "1"),
            "acme",
        ),
        (
            "acme.localhost:8080",
            "/tenants/users/1",
            ("X-None", "1"),
            "acme",
        ),
        (
            "Notes.Example",
            "/api/ping",
            ("X-None", "1"),
            "notes.example",
        ),
        ("localhost", "/tenants/list", ("X-None", "1"), ""),
        ("127.0.0.1", "/api/ping", ("X-None", "1"), ""),
        ("localhost", "/api/ping", ("X-Tenant-Slug", "ACME"), "-"),
        ("localhost", "/api/ping", ("X-Tenant-ID", "' OR 1"), "-"),
        ("localhost", "/tenants/aCme/api/ping", ("X-None", "1"), "-"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("line-{number}");
        let request = client
            .get(fixture.url(&format!("{path}?code=hidden-code")))
            .header("Host", host)
            .header("X-Request-Id", &name)
            .header("Authorization", "Bearer hidden-token")
            .header("Cookie", "tenantry_session=hidden-session")
            .header(header.0, header.1);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["x-request-id"], name.as_str());
        let line = fixture.gateway.logged(&name).await;
        assert_eq!(line["tenant"], tenant, "{line}");
        assert_eq!(line["path"], path);
        assert_eq!(line["method"], "GET");
        assert_eq!(line["status"], 200);
        assert_eq!(line["client"], "127.0.0.1");
        assert_eq!(line["upstream_status"], "200");
        assert!(line["seconds"].is_number() && line["bytes"].is_number());
        assert!(!line.to_string().contains("hidden"), "{line}");
    }
}

#[tokio::test]
async fn an_id_that_is_not_sane_is_replaced_everywhere() {
    let fixture = Fixture::start(&[]).await;
    let client = super::client_at([127, 0, 0, 1]);
    for odd in ["a b", "\"}", "<script>", &"x".repeat(129)] {
        let request = client.get(fixture.url("/")).header("X-Request-Id", odd);
        let answer = request.send().await.unwrap();
        let id = answer.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned();
        assert_eq!(id.len(), 32, "{odd}");
        assert_eq!(fixture.recorder.last().all("X-Request-Id"), [&id]);
        fixture.gateway.logged(&id).await;
    }
}

/// Pages know a tenant by its host alone: a header is counted for nobody.
#[tokio::test]
async fn on_the_pages_no_header_moves_a_request_to_another_tenant() {
    let fixture = Fixture::start(&[]).await;
    let client = super::client_at([127, 0, 0, 1]);
    for (name, value) in [
        ("X-Tenant-Slug", "globex"),
        ("X-Tenant-ID", "0192f0c1-0000-7000-8000-000000000000"),
    ] {
        let url = format!(
            "http://127.0.0.1:{}/tenants/globex/x",
            fixture.gateway.pages
        );
        let request = client.get(url).header("Host", "acme.localhost");
        let request = request.header(name, value).header("X-Request-Id", name);
        request.send().await.unwrap();
        assert_eq!(fixture.gateway.logged(name).await["tenant"], "acme");
    }
}

#[tokio::test]
async fn a_host_is_the_platforms_here_where_it_is_everywhere() {
    let fixture = Fixture::start(&SETTINGS).await;
    let client = super::client_at([127, 0, 0, 1]);
    for (number, (host, whose)) in TABLE.iter().enumerate() {
        let expected = match whose {
            Whose::Platform => "",
            Whose::Slug(name) | Whose::Domain(name) => name,
            // Counted by whatever it says.
            Whose::Nobody => continue,
        };
        let id = format!("host-{number}");
        let request = client.get(fixture.url("/api/ping")).header("Host", *host);
        let answer = request.header("X-Request-Id", &id).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{host}");
        let line = fixture.gateway.logged(&id).await;
        assert_eq!(line["tenant"], expected, "{host}");
    }
}
