use serde_json::{Value, json};

use crate::support::{Answer, TestApp, application};

async fn rename(app: &TestApp, slug: &str, names: Value) -> Answer {
    app.operate_with("PATCH", &format!("/tenants/{slug}"), &names)
        .await
}

#[tokio::test]
async fn a_tenant_moves_with_all_it_has() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let names = json!({ "slug": "acme-two", "name": "Acme II" });
    let renamed = rename(&app, "acme", names).await.json();
    assert_eq!(renamed["slug"], "acme-two");
    assert_eq!(renamed["name"], "Acme II");
    assert_eq!(renamed["schema"], "tenant_acme_two");
    assert_eq!(
        app.count("SELECT count(*) FROM tenant_acme_two.users")
            .await,
        1
    );
    let gone = app.operate("GET", "/tenants/acme").await;
    assert_eq!(gone.problem(), "tenant-not-found");
    let events = app.operate("GET", "/tenants/acme-two/events").await.json();
    assert_eq!(events["events"][0]["detail"]["was"], "acme");
}

#[tokio::test]
async fn the_old_slug_is_free_at_once() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    rename(&app, "acme", json!({ "slug": "globex" })).await;
    assert_eq!(app.register(&application("acme")).await.status, 201);
}

#[tokio::test]
async fn what_is_absent_stays() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let renamed = rename(&app, "acme", json!({ "name": "Other" }))
        .await
        .json();
    assert_eq!(
        (&renamed["slug"], &renamed["name"]),
        (&json!("acme"), &json!("Other"))
    );
    let renamed = rename(&app, "acme", json!({ "slug": "acme" })).await.json();
    assert_eq!(renamed["name"], "Other");
}

#[tokio::test]
async fn only_free_and_sound_names_are_given() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    app.tenant("globex").await;
    let taken = rename(&app, "acme", json!({ "slug": "globex" })).await;
    assert_eq!(
        (taken.problem(), taken.faulty()),
        ("conflict".to_owned(), vec!["slug".to_owned()])
    );
    let bad = rename(&app, "acme", json!({ "slug": "www", "name": "" })).await;
    assert_eq!(bad.faulty(), ["name", "slug"]);
    assert_eq!(rename(&app, "acme", json!({})).await.faulty(), ["name"]);
    assert_eq!(
        rename(&app, "nobody", json!({ "name": "x" }))
            .await
            .problem(),
        "tenant-not-found"
    );
    assert_eq!(app.count("SELECT count(*) FROM tenant_acme.users").await, 1);
}
