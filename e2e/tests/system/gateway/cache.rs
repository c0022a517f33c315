//! What is kept, and for whom.

use e2e::recorder::{Recorder, Seen, answer};
use reqwest::RequestBuilder;

use super::{Fixture, client_at};

const KEPT: &[&str] = &[
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/oauth/jwks",
];

/// All that names a tenant in a request as the service sees it.
fn names(seen: &Seen) -> String {
    let header = |name: &str| seen.all(name).join(",");
    format!(
        "{} {} {} {}",
        header("Host"),
        header("X-Tenant-Slug"),
        header("X-Tenant-ID"),
        seen.target()
    )
}

async fn serving(control: &'static str, more: &'static [(&str, &str)]) -> Fixture {
    let recorder = Recorder::answering(0, move |seen| {
        let headers: Vec<_> = [("Cache-Control", control)]
            .iter()
            .chain(more)
            .copied()
            .collect();
        answer(200, &headers, &names(seen))
    });
    Fixture::before(recorder.await, &[]).await
}

async fn text(request: RequestBuilder) -> String {
    request.send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn nobody_gets_what_was_kept_for_another_however_either_is_named() {
    let fixture = serving("public, max-age=60", &[]).await;
    let client = client_at([127, 0, 0, 1]);
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    for path in KEPT {
        let by_path = format!("/tenants/acme{path}");
        let ways = [
            ("localhost", *path, ("X-Tenant-Slug", "acme")),
            ("localhost", *path, ("X-Tenant-Slug", "globex")),
            ("localhost", *path, ("X-Tenant-ID", id)),
            ("acme.localhost", *path, ("X-None", "1")),
            ("acme.localhost", *path, ("X-Tenant-Slug", "globex")),
            ("acme.localhost:8080", *path, ("X-None", "1")),
            ("globex.localhost", *path, ("X-None", "1")),
            ("notes.acme.example", *path, ("X-None", "1")),
            ("localhost", by_path.as_str(), ("X-None", "1")),
        ];
        for round in 0..2 {
            for (host, path, (name, value)) in ways {
                let before = fixture.recorder.seen().len();
                let own = format!("asker-{round}-{before}");
                let request = client.get(fixture.url(path)).header("Host", host);
                let request = request.header(name, value).header("X-Request-Id", &own);
                let answer = request.send().await.unwrap();
                assert_eq!(answer.headers()["x-request-id"], own.as_str());
                let body = answer.text().await.unwrap();
                let header = |wanted| if name == wanted { value } else { "" };
                let (slug, id) = (header("X-Tenant-Slug"), header("X-Tenant-ID"));
                assert_eq!(body, format!("{host} {slug} {id} {path}"));
                let asked = fixture.recorder.seen().len() - before;
                assert_eq!(asked, usize::from(round == 0), "{host} {path} {name}");
            }
        }
    }
}

#[tokio::test]
async fn what_its_service_does_not_allow_is_not_kept() {
    for control in ["no-store", "private, max-age=60", "no-cache", "max-age=0"] {
        let fixture = serving(control, &[]).await;
        let client = client_at([127, 0, 0, 1]);
        for _ in 0..2 {
            text(client.get(fixture.url("/oauth/jwks"))).await;
        }
        assert_eq!(fixture.recorder.seen().len(), 2, "{control}");
    }
}

#[tokio::test]
async fn answers_elsewhere_or_with_a_cookie_or_to_a_token_are_not_kept() {
    let fixture = serving("public, max-age=60", &[]).await;
    let client = client_at([127, 0, 0, 1]);
    for _ in 0..2 {
        text(client.get(fixture.url("/api/notes"))).await;
        let jwks = client.get(fixture.url("/oauth/jwks"));
        text(jwks.header("Authorization", "Bearer x")).await;
        let jwks = client.get(fixture.url("/oauth/jwks"));
        text(jwks.header("X-Tenant-Slug", "a cme")).await;
    }
    assert_eq!(fixture.recorder.seen().len(), 6);
    let fixture = serving("public, max-age=60", &[("Set-Cookie", "a=b")]).await;
    for _ in 0..2 {
        text(client.get(fixture.url("/oauth/jwks"))).await;
    }
    assert_eq!(fixture.recorder.seen().len(), 2);
}

#[tokio::test]
async fn what_varies_is_kept_apart_and_static_files_are_kept() {
    let fixture = serving("public, max-age=60", &[("Vary", "Accept-Language")]).await;
    let client = client_at([127, 0, 0, 1]);
    let pages = format!(
        "http://127.0.0.1:{}/static/tenantry.css",
        fixture.gateway.pages
    );
    for url in [fixture.url("/oauth/jwks"), pages] {
        let before = fixture.recorder.seen().len();
        for language in ["en", "de", "en", "de"] {
            text(client.get(&url).header("Accept-Language", language)).await;
        }
        assert_eq!(fixture.recorder.seen().len() - before, 2, "{url}");
    }
}

#[tokio::test]
async fn a_kept_answer_outlives_its_service() {
    let fixture = serving("public, max-age=1", &[]).await;
    let client = client_at([127, 0, 0, 1]);
    let jwks = || client.get(fixture.url("/oauth/jwks"));
    let first = text(jwks()).await;
    fixture.recorder.hang_up().await;
    e2e::process::until("it is old", async || {
        let line = "kept-and-old";
        assert_eq!(text(jwks().header("X-Request-Id", line)).await, first);
        let lines = fixture.gateway.log();
        lines.iter().any(|line| line["cache"] == "STALE")
    })
    .await;
}
