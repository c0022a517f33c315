use std::num::NonZeroU32;

use control_plane::reaper::look;
use serde_json::{Value, json};
use time::Duration;

use testkit::{rounds, seed};

use crate::support::{Answer, TestApp, application, at_random};

async fn rename(app: &TestApp, slug: &str, names: Value) -> Answer {
    app.operate_with("PATCH", &format!("/tenants/{slug}"), &names)
        .await
}

const HELD: &str = "SELECT count(*) FROM platform.former_slugs";

fn conflict(field: &str) -> (String, Vec<String>) {
    ("conflict".to_owned(), vec![field.to_owned()])
}

async fn until_somebody_waits(app: &TestApp) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
        AND wait_event_type = 'Lock'";
    while app.count(waiting).await == 0 {
        tokio::task::yield_now().await;
    }
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
async fn the_old_slug_is_held_and_nobody_elses() {
    let app = TestApp::start().await;
    for slug in ["acme", "initech"] {
        app.tenant(slug).await;
    }
    rename(&app, "acme", json!({ "slug": "globex" })).await;
    let taken = app.register(&application("acme")).await;
    assert_eq!(taken.problem(), "conflict");
    assert_eq!(taken.faulty(), ["tenant_slug"]);
    let taken = rename(&app, "initech", json!({ "slug": "acme" })).await;
    assert_eq!((taken.problem(), taken.faulty()), conflict("slug"));
    let asked = app.get("/tenants/register?slug=acme").await.json();
    assert_eq!(asked["reason"], "is taken");
    let shown = app.operate("GET", "/tenants/acme").await;
    assert_eq!(shown.problem(), "tenant-not-found");
    assert_eq!(shown.json()["tenant_slug"], "globex");
    let suspended = app.operate("POST", "/tenants/acme/suspend").await;
    assert_eq!(suspended.json()["tenant_slug"], "globex");
}

#[tokio::test]
async fn a_tenant_may_take_its_old_slug_back() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    rename(&app, "acme", json!({ "slug": "globex" })).await;
    let back = rename(&app, "globex", json!({ "slug": "acme" })).await;
    assert_eq!(back.json()["slug"], "acme");
    let held = "SELECT count(*) FROM platform.former_slugs WHERE slug = 'globex'";
    assert_eq!(app.count(held).await, 1);
    assert_eq!(app.count(HELD).await, 1);
}

#[tokio::test]
async fn a_hold_ends_with_its_time_or_with_the_tenant() {
    let app = TestApp::with(|settings| settings.slug_hold_days = 2).await;
    for slug in ["acme", "initech"] {
        app.tenant(slug).await;
        let new = json!({ "slug": format!("{slug}-two") });
        assert_eq!(rename(&app, slug, new).await.status, 200);
    }
    app.operate("DELETE", "/tenants/acme-two").await;
    assert_eq!(app.register(&application("acme")).await.status, 409);
    app.operate("POST", "/tenants/acme-two/purge").await;
    assert_eq!(app.register(&application("acme")).await.status, 201);
    app.clock.advance(Duration::days(1));
    look(&app.plane).await;
    assert_eq!(app.register(&application("initech")).await.status, 409);
    app.clock.advance(Duration::days(1));
    let asked = app.get("/tenants/register?slug=initech").await.json();
    assert_eq!(asked["available"], true);
    assert_eq!(app.register(&application("initech")).await.status, 201);
    assert_eq!(app.count(HELD).await, 0);
}

#[tokio::test]
async fn a_hold_that_is_over_is_swept_and_recorded() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    rename(&app, "acme", json!({ "slug": "globex" })).await;
    app.clock.advance(Duration::days(30));
    look(&app.plane).await;
    assert_eq!(app.count(HELD).await, 0);
    let events = app.operate("GET", "/tenants/globex/events").await.json();
    assert_eq!(events["events"][0]["action"], "slug.released");
    assert_eq!(events["events"][0]["detail"], json!({ "slug": "acme" }));
}

#[tokio::test]
async fn without_a_hold_the_old_slug_is_free_at_once() {
    let app = TestApp::with(|settings| settings.slug_hold_days = 0).await;
    app.tenant("acme").await;
    rename(&app, "acme", json!({ "slug": "globex" })).await;
    assert_eq!(app.register(&application("acme")).await.status, 201);
}

/// The sign-up has looked at everything before the rename commits, and waits for its row alone.
#[tokio::test]
async fn a_sign_up_that_waits_for_a_rename_does_not_get_the_slug() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let renaming = app.admin().await;
    let renamed = "BEGIN; UPDATE platform.tenants SET slug = 'globex', \
        schema_name = 'tenant_globex'; ALTER SCHEMA tenant_acme RENAME TO tenant_globex; \
        INSERT INTO platform.former_slugs SELECT 'acme', id, now() + interval '1 day' \
        FROM platform.tenants";
    renaming.batch_execute(renamed).await.unwrap();
    let wanted = application("acme");
    let commit = async {
        until_somebody_waits(&app).await;
        renaming.batch_execute("COMMIT").await.unwrap();
    };
    let (answer, ()) = futures_util::future::join(app.register(&wanted), commit).await;
    assert_eq!(answer.problem(), "conflict");
    assert_eq!(answer.faulty(), ["tenant_slug"]);
}

/// Whoever comes first, nobody has a slug that is held for another.
#[tokio::test]
async fn a_slug_is_never_held_for_one_and_had_by_another() {
    let app = TestApp::with(|settings| settings.signup_rate_per_minute = NonZeroU32::MAX).await;
    let entropy = seed::printed();
    for round in 0..rounds(4, 200) {
        let (old, new) = (format!("acme-{round}"), format!("globex-{round}"));
        app.tenant(&old).await;
        let names = json!({ "slug": new });
        let wanted = application(&old);
        let (renamed, signed_up) =
            at_random(&entropy, rename(&app, &old, names), app.register(&wanted)).await;
        assert_eq!(
            (renamed.status.as_u16(), signed_up.status.as_u16()),
            (200, 409)
        );
    }
    let both = "SELECT count(*) FROM platform.former_slugs f JOIN platform.tenants t \
        ON t.slug = f.slug WHERE t.id <> f.tenant_id AND t.status <> 'purged'";
    assert_eq!(app.count(both).await, 0);
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
async fn names_that_a_tenant_has_already_change_nothing() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let row = "SELECT xmin::text::bigint FROM platform.tenants WHERE slug = 'acme'";
    let (events, before) = ("SELECT count(*) FROM platform.events", app.count(row).await);
    let recorded = app.count(events).await;
    let shown = app.operate("GET", "/tenants/acme").await.json();
    let same = json!({ "slug": "acme", "name": shown["name"] });
    for names in [json!({}), json!({ "slug": "acme" }), same] {
        assert_eq!(rename(&app, "acme", names).await.json(), shown);
    }
    assert_eq!(
        (app.count(events).await, app.count(row).await),
        (recorded, before)
    );
}

/// Whoever made the schema, it is not taken over.
#[tokio::test]
async fn a_slug_whose_schema_is_there_is_taken() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let schema = "CREATE SCHEMA tenant_globex";
    app.admin().await.batch_execute(schema).await.unwrap();
    let taken = rename(&app, "acme", json!({ "slug": "globex" })).await;
    assert_eq!(taken.status, 409);
    assert_eq!((taken.problem(), taken.faulty()), conflict("slug"));
    let shown = app.operate("GET", "/tenants/acme").await.json();
    assert_eq!(shown["slug"], "acme");
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
    let null = rename(&app, "acme", json!({ "slug": null, "name": null })).await;
    assert_eq!(
        (null.status.as_u16(), null.faulty()),
        (422, vec!["name".to_owned(), "slug".to_owned()])
    );
    assert_eq!(
        rename(&app, "nobody", json!({ "name": "x" }))
            .await
            .problem(),
        "tenant-not-found"
    );
    assert_eq!(app.count("SELECT count(*) FROM tenant_acme.users").await, 1);
}
