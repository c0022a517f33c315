//! `/api/notes`, the model resource.

use serde_json::json;
use testkit::TestApp;

#[tokio::test]
async fn a_token_does_not_cross_tenants() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").user("ada", "write").await;
    let globex = app.tenant("globex").anonymous().await;

    acme.post("/api/notes", json!({"title": "plan"})).await.expect(201);

    let refused = globex.with_token(&acme.token()).get("/api/notes").await;
    assert_eq!(refused.expect(401).problem(), "unauthorized");
}
