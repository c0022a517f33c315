use control_plane::reaper::look;
use time::Duration;

use crate::support::TestApp;

const SPARE: &str = "SELECT count(*) FROM platform.tenant_roles WHERE tenant_id IS NULL";
const SCHEMAS: &str = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'tenant\\_%'";

#[tokio::test]
async fn looking_twice_changes_nothing_more() {
    let app = TestApp::with(|settings| settings.spare_roles = 20).await;
    look(&app.plane).await;
    let spare = app.count(SPARE).await;
    assert!(spare >= 20);
    look(&app.plane).await;
    assert_eq!(app.count(SPARE).await, spare);
}

#[tokio::test]
async fn a_deleted_tenant_goes_when_its_time_is_over() {
    let app = TestApp::with(|settings| settings.delete_grace_days = 1).await;
    app.tenant("acme").await;
    app.tenant("globex").await;
    app.operate("DELETE", "/tenants/acme").await;
    look(&app.plane).await;
    assert_eq!(app.count(SCHEMAS).await, 2);
    app.clock.advance(Duration::hours(25));
    look(&app.plane).await;
    look(&app.plane).await;
    assert_eq!(app.count(SCHEMAS).await, 1);
    assert_eq!(app.operate("GET", "/tenants/globex").await.status, 200);
    let events = "SELECT count(*) FROM platform.events WHERE action = 'tenant.purged' \
        AND actor = 'reaper'";
    assert_eq!(app.count(events).await, 1);
}

#[tokio::test]
async fn several_reapers_do_not_get_in_each_others_way() {
    let app = TestApp::with(|settings| settings.delete_grace_days = 1).await;
    for slug in ["acme", "globex", "initech"] {
        app.tenant(slug).await;
        app.operate("DELETE", &format!("/tenants/{slug}")).await;
    }
    app.clock.advance(Duration::hours(25));
    let plane = &app.plane;
    futures_util::future::join3(look(plane), look(plane), look(plane)).await;
    assert_eq!(app.count(SCHEMAS).await, 0);
    let events = "SELECT count(*) FROM platform.events WHERE action = 'tenant.purged'";
    assert_eq!(app.count(events).await, 3);
}

#[tokio::test]
async fn one_that_cannot_be_purged_does_not_hold_the_others_up() {
    let app = TestApp::with(|settings| settings.delete_grace_days = 1).await;
    for slug in ["acme", "globex"] {
        app.tenant(slug).await;
        app.operate("DELETE", &format!("/tenants/{slug}")).await;
    }
    app.admin()
        .await
        .batch_execute("ALTER SCHEMA tenant_acme OWNER TO CURRENT_USER")
        .await
        .unwrap();
    app.clock.advance(Duration::hours(25));
    look(&app.plane).await;
    assert_eq!(
        app.operate("GET", "/tenants/acme").await.json()["status"],
        "deleting"
    );
    assert_eq!(
        app.operate("GET", "/tenants/globex").await.problem(),
        "tenant-not-found"
    );
    let back = "ALTER SCHEMA tenant_acme OWNER TO tenantry_control";
    app.admin().await.batch_execute(back).await.unwrap();
    look(&app.plane).await;
    assert_eq!(app.count(SCHEMAS).await, 0);
}
