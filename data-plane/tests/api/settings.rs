//! `/tenants/settings`.

use serde_json::json;
use testkit::{TestApp, app::PASSWORD};

#[tokio::test]
async fn owners_write_and_admins_read() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let (owner, admin) = (acme.owner().await, acme.admin("grace").await);
    let new = json!({
        "name": "Acme Works", "listed": true, "branding": {"accent_color": "#1155aa"},
        "password_policy": {"min_length": 12}, "token_policy": {"access_seconds": 600},
    });
    let written = owner
        .put("/tenants/settings", new.clone())
        .await
        .expect(200)
        .json();
    assert_eq!(written["name"], "Acme Works");
    let read = admin.get("/tenants/settings").await.expect(200).json();
    assert_eq!(read, written);
    admin.put("/tenants/settings", new).await.expect(403);

    let listed = app
        .anonymous()
        .get("/tenants/list")
        .await
        .expect(200)
        .json();
    assert_eq!(
        listed["tenants"][0],
        json!({"slug": "acme", "name": "Acme Works", "domain": null})
    );
    let short = json!({"username": "ada", "email": "ada@acme.example", "password": "12345678901"});
    let refused = acme
        .anonymous()
        .await
        .post("/oauth/register", short)
        .await
        .expect(422);
    assert!(refused.text().contains("12 to"));
    let (id, secret) = acme.client().await;
    let fields = [
        ("grant_type", "password"),
        ("username", "owner"),
        ("password", PASSWORD),
        ("client_id", &id),
        ("client_secret", &secret),
    ];
    let token = acme
        .anonymous()
        .await
        .form("/oauth/token", &fields)
        .await
        .expect(200)
        .json();
    assert_eq!(token["expires_in"], 600);
}

#[tokio::test]
async fn settings_that_make_no_sense_change_nothing() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let before = owner.get("/tenants/settings").await.expect(200).json();
    for bad in [
        json!({"registration": "everyone"}),
        json!({"lisetd": true}),
        json!({"name": ""}),
        json!({"name": "a\u{0}b"}),
        json!({"name": 7}),
        json!({"password_policy": {"min_length": 7}}),
        json!({"password_policy": {"min_length": 99999999999_u64}}),
        json!({"session_policy": {"lifetime_seconds": -1}}),
        json!({"token_policy": {"access_seconds": 1e99}}),
        json!({"branding": {"logo_url": "javascript:alert(1)"}}),
        json!({"forbidden_grants": ["everything"]}),
    ] {
        let answer = owner.put("/tenants/settings", bad.clone()).await;
        assert_eq!(answer.expect(422).problem(), "validation-failed", "{bad}");
    }
    assert_eq!(
        owner.get("/tenants/settings").await.expect(200).json(),
        before
    );
}
