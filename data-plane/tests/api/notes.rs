//! `/api/notes`, the model resource.

use serde_json::{Value, json};
use testkit::{Client, TestApp};

async fn write(client: &Client, title: &str) -> Value {
    client
        .post("/api/notes", json!({"title": title, "body": "text"}))
        .await
        .expect(201)
        .json()
}

async fn titles(client: &Client, query: &str) -> Vec<String> {
    let page = client
        .get(&format!("/api/notes?{query}"))
        .await
        .expect(200)
        .json();
    let title = |note: &Value| note["title"].as_str().unwrap().to_owned();
    page["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(title)
        .collect()
}

#[tokio::test]
async fn a_token_does_not_cross_tenants() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").user("ada", "write").await;
    let globex = app.tenant("globex").anonymous().await;

    acme.post("/api/notes", json!({"title": "plan"}))
        .await
        .expect(201);

    let refused = globex.with_token(&acme.token()).get("/api/notes").await;
    assert_eq!(refused.expect(401).problem(), "unauthorized");
}

#[tokio::test]
async fn a_note_is_written_read_changed_and_removed() {
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "read write").await;
    let created = ada
        .post("/api/notes", json!({"title": "plan"}))
        .await
        .expect(201);
    assert_eq!(created.header("etag"), "\"1\"");
    let path = created.header("location").to_owned();
    assert_eq!(created.json()["body"], "");

    let changed = ada.patch(&path, json!({"body": "more"})).await.expect(200);
    assert_eq!(changed.header("etag"), "\"2\"");
    assert_eq!(
        (&changed.json()["title"], &changed.json()["body"]),
        (&json!("plan"), &json!("more"))
    );
    assert_eq!(ada.get(&path).await.expect(200).json(), changed.json());

    ada.delete(&path).await.expect(204);
    ada.get(&path).await.expect(404);
    ada.delete(&path).await.expect(404);
}

#[tokio::test]
async fn a_title_is_counted_as_it_is_kept() {
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "read write").await;
    let long = format!("\t {} \n", "x".repeat(200));
    let note = write(&ada, &long).await;
    assert_eq!(note["title"], long.trim());
    let path = format!("/api/notes/{}", note["id"]);
    let changed = ada.patch(&path, json!({"title": "  plan "})).await;
    assert_eq!(changed.expect(200).json()["title"], "plan");
    for blank in ["", " \n"] {
        ada.patch(&path, json!({"title": blank})).await.expect(422);
    }
}

#[tokio::test]
async fn etags_guard_against_overwriting() {
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "read write").await;
    let path = format!("/api/notes/{}", write(&ada, "plan").await["id"]);
    let with = |tag: &str| ada.clone().with("if-match", tag);
    for stale in ["\"2\"", "W/\"1\"", "\"nonsense\"", "1"] {
        let answer = with(stale).patch(&path, json!({"title": "x"})).await;
        assert_eq!(
            answer.expect(412).problem(),
            "precondition-failed",
            "{stale}"
        );
        with(stale).delete(&path).await.expect(412);
    }
    with("\"9\", \"1\"")
        .patch(&path, json!({"title": "new"}))
        .await
        .expect(200);
    with("*")
        .patch(&path, json!({"title": "newer"}))
        .await
        .expect(200);
    let known = ada
        .clone()
        .with("if-none-match", "\"3\"")
        .get(&path)
        .await
        .expect(304);
    assert!(known.body.is_empty());
    with("\"3\"").delete(&path).await.expect(204);
}

#[tokio::test]
async fn of_two_changes_to_one_version_one_wins() {
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "read write").await;
    let path = format!("/api/notes/{}", write(&ada, "plan").await["id"]);
    let guarded = ada.with("if-match", "\"1\"");
    let (a, b) = tokio::join!(
        guarded.patch(&path, json!({"title": "a"})),
        guarded.patch(&path, json!({"title": "b"})),
    );
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
}

#[tokio::test]
async fn scopes_and_authors_decide_who_may_what() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let ada = acme.user("ada", "read write").await;
    let path = format!("/api/notes/{}", write(&ada, "hers").await["id"]);
    let reader = acme.user("bob", "read").await;
    reader.get(&path).await.expect(200);
    reader
        .post("/api/notes", json!({"title": "x"}))
        .await
        .expect(403);
    acme.user("bob", "write")
        .await
        .get("/api/notes")
        .await
        .expect(403);
    acme.user("bob", "write")
        .await
        .patch(&path, json!({"title": "his"}))
        .await
        .expect(403);
    acme.machine("write").await.delete(&path).await.expect(403);
    acme.owner_token("write")
        .await
        .delete(&path)
        .await
        .expect(403);
    acme.owner_token("write admin")
        .await
        .delete(&path)
        .await
        .expect(204);
}

#[tokio::test]
async fn pages_lead_through_every_order_without_gaps() {
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "read write").await;
    for title in ["d", "a", "c", "b", "a"] {
        write(&ada, title).await;
    }
    for (sort, expected) in [
        ("-created_at", "abcad"),
        ("created_at", "dacba"),
        ("title", "aabcd"),
        ("-title", "dcbaa"),
        ("updated_at", "dacba"),
        ("-updated_at", "abcad"),
    ] {
        let (mut found, mut cursor) = (String::new(), String::new());
        loop {
            let path = format!("/api/notes?limit=2&sort={sort}{cursor}");
            let page = ada.get(&path).await.expect(200).json();
            for note in page["notes"].as_array().unwrap() {
                found += note["title"].as_str().unwrap();
            }
            let Some(next) = page["next"].as_str() else {
                break;
            };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(found, expected, "{sort}");
    }
}

#[tokio::test]
async fn notes_are_filtered_by_title_and_author() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let (ada, bob) = (
        acme.user("ada", "read write").await,
        acme.user("bob", "read write").await,
    );
    let author = write(&ada, "Plan 100%").await["author_id"]
        .as_str()
        .unwrap()
        .to_owned();
    write(&bob, "plan_b").await;
    assert_eq!(
        titles(&ada, "q=PLAN&sort=created_at").await,
        ["Plan 100%", "plan_b"]
    );
    assert_eq!(titles(&ada, "q=%25").await, ["Plan 100%"]);
    assert_eq!(titles(&ada, "q=_").await, ["plan_b"]);
    assert_eq!(
        titles(&ada, &format!("author={author}")).await,
        ["Plan 100%"]
    );
    for bad in [
        "sort=id", "limit=0", "limit=x", "cursor=x", "author=x", "q=%00",
    ] {
        ada.get(&format!("/api/notes?{bad}")).await.expect(422);
    }
    let next = ada.get("/api/notes?limit=1").await.json()["next"]
        .as_str()
        .unwrap()
        .to_owned();
    ada.get(&format!("/api/notes?sort=title&cursor={next}"))
        .await
        .expect(422);
}

#[tokio::test]
async fn a_plan_limits_notes_and_removing_one_makes_room() {
    let app = TestApp::start().await;
    let admin = testkit::database::connect(&app.database.admin())
        .await
        .unwrap();
    admin
        .batch_execute("UPDATE platform.plans SET max_notes = 3 WHERE name = 'free'")
        .await
        .unwrap();
    let ada = app.tenant("acme").user("ada", "read write").await;
    let mut last = Value::Null;
    for _ in 0..3 {
        last = write(&ada, "note").await;
    }
    let refused = ada
        .post("/api/notes", json!({"title": "one more"}))
        .await
        .expect(403);
    assert_eq!(refused.json()["quota"], "notes");
    ada.delete(&format!("/api/notes/{}", last["id"]))
        .await
        .expect(204);
    write(&ada, "room").await;
}

#[tokio::test]
async fn a_client_that_acts_for_itself_changes_its_own_notes_alone() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let machine = acme.machine("read write").await;
    let mine = write(&machine, "mine").await;
    let (client, _) = acme.client().await;
    assert_eq!(
        (&mine["author_id"], &mine["client_id"]),
        (&Value::Null, &json!(client))
    );

    // Another client, which is as absent as the author.
    let metadata = json!({
        "client_name": "other", "grant_types": ["client_credentials"], "scope": "read write",
    });
    let made = acme
        .owner()
        .await
        .post("/oauth/client/register", metadata)
        .await;
    let made = made.expect(201).json();
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", made["client_id"].as_str().unwrap()),
        ("client_secret", made["client_secret"].as_str().unwrap()),
    ];
    let anonymous = acme.anonymous().await;
    let token = anonymous
        .form("/oauth/token", &fields)
        .await
        .expect(200)
        .json();
    let other = anonymous.with_token(token["access_token"].as_str().unwrap());
    let path = format!("/api/notes/{}", mine["id"]);
    other.get(&path).await.expect(200);
    other
        .patch(&path, json!({"title": "theirs"}))
        .await
        .expect(403);
    other.delete(&path).await.expect(403);
    machine
        .patch(&path, json!({"title": "still mine"}))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_note_whose_author_was_removed_is_no_clients() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let ada = acme.user("ada", "read write").await;
    let note = write(&ada, "hers").await;
    let machine = acme.machine("read write").await;
    let path = format!("/tenants/users/{}", note["author_id"].as_str().unwrap());
    acme.owner().await.delete(&path).await.expect(204);
    let path = format!("/api/notes/{}", note["id"]);
    machine
        .patch(&path, json!({"title": "mine"}))
        .await
        .expect(403);
}

#[tokio::test]
async fn a_patch_tells_absent_null_and_value_apart() {
    let app = TestApp::start().await;
    let ada = app.tenant("acme").user("ada", "read write").await;
    let note = json!({"title": "plan", "body": "text"});
    let made = ada.post("/api/notes", note).await.expect(201).json();
    app.clock.advance(time::Duration::minutes(1));
    for nothing in [
        json!({}),
        json!({"title": "plan"}),
        json!({"body": "text", "title": "plan"}),
    ] {
        let same = ada.patch("/api/notes/1", nothing).await.expect(200);
        assert_eq!((same.header("etag"), same.json()), ("\"1\"", made.clone()));
    }
    let cleared = ada
        .patch("/api/notes/1", json!({"body": null}))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&cleared["body"], &cleared["version"]),
        (&json!(""), &json!(2))
    );
    assert_ne!(cleared["updated_at"], made["updated_at"]);
    let bad = json!({"title": null, "body": 7});
    let faults = ada.patch("/api/notes/1", bad).await.expect(422).json()["errors"].clone();
    assert_eq!(faults["title"][0], "cannot be null");
    assert!(faults["body"].is_array());
}
