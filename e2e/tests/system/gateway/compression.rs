//! What is made smaller on its way, and what must not be.

use e2e::recorder::{Recorder, answer};

use super::{Fixture, client_at};

#[tokio::test]
async fn text_is_compressed_where_no_secret_meets_what_a_request_said() {
    let recorder = Recorder::answering(0, |seen| {
        let media_type = if seen.target().contains("page") {
            "text/html"
        } else {
            "application/json"
        };
        let headers = [("Content-Type", media_type), ("ETag", "\"7\"")];
        answer(200, &headers, &"tenantry ".repeat(500))
    });
    let fixture = Fixture::before(recorder.await, &[]).await;
    let (api, pages) = (fixture.gateway.api, fixture.gateway.pages);
    let client = client_at([127, 0, 0, 1]);
    for (port, path, compressed) in [
        (api, "/api/notes", true),
        (api, "/tenants/acme/api/notes", true),
        (api, "/oauth/jwks", true),
        (api, "/oauth/token", false),
        (api, "/tenants/acme/oauth/token", false),
        (api, "/tenants/register", false),
        (api, "/control/v1/tenants", false),
        (pages, "/static/tenantry.css", true),
        (pages, "/page", false),
    ] {
        let request = client.get(format!("http://127.0.0.1:{port}{path}"));
        let request = request.header("Accept-Encoding", "gzip");
        let answer = request.send().await.unwrap();
        let encoding = answer.headers().get("content-encoding");
        assert_eq!(
            encoding.is_some_and(|coding| coding == "gzip"),
            compressed,
            "{path}"
        );
        assert_eq!(answer.headers().contains_key("vary"), compressed, "{path}");
        assert!(fixture.recorder.last().all("Accept-Encoding").is_empty());
    }
}

#[tokio::test]
async fn the_tag_of_a_compressed_answer_is_good_for_a_change() {
    let fixture = Fixture::start(&[]).await;
    let client = client_at([127, 0, 0, 1]);
    for (sent, passed) in [
        ("W/\"7\"", "\"7\""),
        ("\"7\"", "\"7\""),
        ("*", "*"),
        ("\"7\", \"8\"", "\"7\", \"8\""),
    ] {
        let request = client.patch(fixture.url("/api/notes/1"));
        request.header("If-Match", sent).send().await.unwrap();
        assert_eq!(fixture.recorder.last().all("If-Match"), [passed]);
    }
    client
        .get(fixture.url("/api/notes/1"))
        .send()
        .await
        .unwrap();
    assert!(fixture.recorder.last().all("If-Match").is_empty());
}
