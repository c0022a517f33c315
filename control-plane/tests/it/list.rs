use serde_json::{Value, json};

use crate::support::{TestApp, application_with};

async fn show(app: &TestApp, slug: &str) {
    let sql = "UPDATE platform.tenants SET settings = '{\"listed\":true}' WHERE slug = $1";
    app.admin().await.execute(sql, &[&slug]).await.unwrap();
}

fn slugs(page: &Value) -> Vec<&str> {
    let tenants = page["tenants"].as_array().unwrap().iter();
    tenants
        .map(|tenant| tenant["slug"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn anyone_sees_active_tenants_that_chose_to_be_listed() {
    let app = TestApp::start().await;
    for slug in ["acme", "globex", "initech"] {
        app.tenant(slug).await;
    }
    show(&app, "acme").await;
    show(&app, "globex").await;
    app.operate("POST", "/tenants/globex/suspend").await;
    let page = app.get("/tenants/list").await.json();
    let acme = json!({ "slug": "acme", "name": "The acme company", "domain": null });
    assert_eq!(page, json!({ "tenants": [acme], "next": null }));
}

#[tokio::test]
async fn pages_follow_each_other() {
    let app = TestApp::start().await;
    for slug in ["acme", "beta", "charlie", "delta", "echo"] {
        app.tenant(slug).await;
        show(&app, slug).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app
            .get(&format!("/tenants/list?limit=2{cursor}"))
            .await
            .json();
        assert!(slugs(&page).len() <= 2);
        seen.extend(slugs(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, ["acme", "beta", "charlie", "delta", "echo"]);
}

#[tokio::test]
async fn operators_see_all_and_may_search() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    app.register(&application_with("globex", "plan", "premium"))
        .await;
    app.register(&application_with(
        "initech",
        "tenant_name",
        "A Globex daughter",
    ))
    .await;
    app.operate("POST", "/tenants/acme/suspend").await;
    for (query, expected) in [
        ("", &["acme", "globex", "initech"][..]),
        ("?search=GLOBEX", &["globex", "initech"]),
        ("?search=%25", &[]),
        ("?status=suspended", &["acme"]),
        ("?plan=premium", &["globex"]),
        ("?plan=free&status=active", &["initech"]),
    ] {
        let page = app.operate("GET", &format!("/tenants{query}")).await.json();
        assert_eq!(slugs(&page), expected, "{query}");
    }
    let tenant = app.operate("GET", "/tenants?search=acme").await.json()["tenants"][0].clone();
    for field in ["id", "plan", "status", "created_at"] {
        assert!(tenant[field].is_string(), "{field}");
    }
}

#[tokio::test]
async fn the_public_address_shows_operators_all() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let request = http::Request::get("/tenants/list").header("authorization", app.operator());
    let page = app
        .send(request.body(axum::body::Body::empty()).unwrap())
        .await
        .json();
    assert_eq!(slugs(&page), ["acme"]);
}

#[tokio::test]
async fn bad_filters_are_told() {
    let app = TestApp::start().await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("cursor=!", "cursor"),
    ] {
        let answer = app.get(&format!("/tenants/list?{query}")).await;
        assert_eq!(
            (answer.problem(), answer.faulty()),
            ("validation-failed".to_owned(), vec![field.to_owned()])
        );
    }
    let answer = app.operate("GET", "/tenants?status=asleep").await;
    assert_eq!(answer.faulty(), ["status"]);
}
