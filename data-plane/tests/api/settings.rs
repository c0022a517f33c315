//! `/tenants/settings`.

use serde_json::json;
use testkit::{Answer, TestApp, app::PASSWORD, database::connect, wait::until};

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
        json!({"branding": {"logo_url": "https://user@acme.example/logo.svg"}}),
        json!({"branding": {"logo_url": "https://ACME.example/logo.svg"}}),
        json!({"forbidden_grants": ["everything"]}),
        json!({"registration": {"closed": null}}),
    ] {
        let patched = owner.patch("/tenants/settings", bad.clone()).await;
        assert_eq!(patched.expect(422).problem(), "validation-failed", "{bad}");
        let answer = owner.put("/tenants/settings", bad.clone()).await;
        assert_eq!(answer.expect(422).problem(), "validation-failed", "{bad}");
    }
    assert_eq!(
        owner.get("/tenants/settings").await.expect(200).json(),
        before
    );
}

#[tokio::test]
async fn what_is_absent_stays_and_null_is_the_default() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let path = "/tenants/settings";
    let first = json!({"listed": true, "branding": {"accent_color": "#1155aa"}});
    owner.put(path, first).await.expect(200);
    let second = json!({"branding": {"logo_url": "https://a.example/l.svg"}});
    let merged = owner.put(path, second).await.expect(200).json();
    assert_eq!(merged["listed"], true);
    assert_eq!(merged["branding"]["accent_color"], "#1155aa");

    let back = json!({"listed": null, "branding": {"logo_url": null}, "password_policy": null});
    let patched = owner.patch(path, back).await.expect(200).json();
    assert_eq!(patched["listed"], false);
    assert_eq!(
        patched["branding"],
        json!({"accent_color": "#1155aa", "logo_url": null})
    );
    assert_eq!(owner.get(path).await.expect(200).json(), patched);

    let refused = owner.patch(path, json!({"name": null})).await.expect(422);
    assert_eq!(refused.json()["errors"]["name"][0], "cannot be null");
    owner
        .put(path, json!({"password_policy": null}))
        .await
        .expect(422);
}

#[tokio::test]
async fn settings_are_guarded_by_their_etag() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let path = "/tenants/settings";
    let tag = owner.get(path).await.expect(200).header("etag").to_owned();
    let has = owner
        .clone()
        .with("if-none-match", &format!("\"x\", W/{tag}"));
    assert_eq!(has.get(path).await.expect(304).header("etag"), tag);

    let may = owner.clone().with("if-match", &tag);
    let same = may.put(path, json!({"listed": false})).await.expect(200);
    assert_eq!(same.header("etag"), tag, "nothing changed");
    let changed = may.patch(path, json!({"listed": true})).await.expect(200);
    assert_ne!(changed.header("etag"), tag);
    for stale in [
        tag.as_str(),
        "\"x\"",
        "W/\"x\"",
        &changed.header("etag").replace('"', ""),
    ] {
        let stale = owner.clone().with("if-match", stale);
        let answer = stale.put(path, json!({"listed": false})).await;
        assert_eq!(answer.expect(412).problem(), "precondition-failed");
    }
    assert_eq!(owner.get(path).await.json()["listed"], true);
}

/// An operator's rename, committed between the moment at which a change of settings read the row and
/// the one at which it writes.
async fn renamed_meanwhile(app: &TestApp, change: impl Future<Output = Answer>) -> Answer {
    let operator = connect(&app.database.admin()).await.unwrap();
    let rename = "BEGIN; UPDATE platform.tenants SET name = 'Renamed' WHERE slug = 'acme'";
    operator.batch_execute(rename).await.unwrap();
    let commit = async {
        let waits = "SELECT 1 FROM pg_catalog.pg_stat_activity \
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        until("the change waits for the rename", async || {
            !operator.query(waits, &[]).await.unwrap().is_empty()
        })
        .await;
        operator.batch_execute("COMMIT").await.unwrap();
    };
    tokio::join!(change, commit).0
}

#[tokio::test]
async fn an_operators_rename_is_never_written_back() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let path = "/tenants/settings";
    let change = owner.put(path, json!({"listed": true}));
    let answer = renamed_meanwhile(&app, change).await.expect(200).json();
    assert_eq!(
        (&answer["name"], &answer["listed"]),
        (&json!("Renamed"), &json!(true))
    );
    let operator = app.operator().await;
    let shown = operator.get("/control/v1/tenants/acme").await.json();
    assert_eq!(shown["name"], "Renamed");
}

#[tokio::test]
async fn a_guarded_change_is_refused_when_an_operator_renamed_meanwhile() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let path = "/tenants/settings";
    let tag = owner.get(path).await.expect(200).header("etag").to_owned();
    let guarded = owner.clone().with("if-match", &tag);
    let change = guarded.patch(path, json!({"listed": true}));
    renamed_meanwhile(&app, change).await.expect(412);
    let shown = app.operator().await.get("/control/v1/tenants/acme").await;
    assert_eq!(shown.json()["name"], "Renamed");
}

#[tokio::test]
async fn forbidden_grants_are_a_set() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let many = vec!["password"; 10_000];
    let answer = owner
        .put("/tenants/settings", json!({"forbidden_grants": many}))
        .await;
    let kept = answer.expect(200).json()["forbidden_grants"].clone();
    assert_eq!(kept, json!(["password"]));
}

#[tokio::test]
async fn the_policy_holds_for_every_new_password() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let (owner, anyone) = (acme.owner().await, acme.anonymous().await);
    let new = |name: &str, password: &str| {
        let email = format!("{name}@acme.example");
        json!({"username": name, "email": email, "password": password})
    };
    for common in ["password", "QWERTYUIOP", "grace@acme.example"] {
        let refused = anyone.post("/oauth/register", new("grace", common)).await;
        let faults = refused.expect(422).json()["errors"].clone();
        assert!(faults["password"].is_array(), "{common}: {faults}");
    }
    anyone
        .post("/oauth/register", new("grace", "secure123"))
        .await
        .expect(201);
    let scored = json!({"password_policy": {"min_score": 3}});
    owner.patch("/tenants/settings", scored).await.expect(200);
    for path in ["/oauth/register", "/tenants/users"] {
        owner
            .post(path, new("linus", "secure123"))
            .await
            .expect(422);
    }
    let answer = owner
        .post("/tenants/users", new("linus", "unwieldy tangerine mill"))
        .await;
    let linus = answer.expect(201).json()["id"].as_str().unwrap().to_owned();
    let weak = json!({"password": "linus1234"});
    owner
        .patch(&format!("/tenants/users/{linus}"), weak)
        .await
        .expect(422);
}
