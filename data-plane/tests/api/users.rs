//! `/tenants/users`: who may do what to whom.

use serde_json::{Value, json};
use testkit::{Client, TestApp, app::PASSWORD};
use tokio::task::JoinSet;

fn new(name: &str, role: &str) -> Value {
    let email = format!("{name}@acme.example");
    json!({"username": name, "email": email, "password": PASSWORD, "role": role})
}

async fn id_of(client: &Client) -> String {
    let info = client.get("/tenants/info").await.expect(200).json();
    info["member"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn admins_add_list_and_change_users() {
    let app = TestApp::start().await;
    let admin = app.tenant("acme").admin("grace").await;
    let ada = admin
        .post("/tenants/users", new("ada", "user"))
        .await
        .expect(201)
        .json();
    let path = format!("/tenants/users/{}", ada["id"].as_str().unwrap());
    admin.get(&path).await.expect(200);

    let changed = admin
        .patch(&path, json!({"email": "new@acme.example"}))
        .await
        .expect(200)
        .json();
    assert_eq!(changed["email"], "new@acme.example");
    assert_eq!(changed["username"], "ada");
    let taken = admin
        .patch(&path, json!({"username": "GRACE"}))
        .await
        .expect(409);
    assert_eq!(taken.json()["errors"]["username"][0], "is taken");

    let list = admin
        .get("/tenants/users?search=ADA&role=user")
        .await
        .expect(200)
        .json();
    assert_eq!(list["users"].as_array().unwrap().len(), 1);
    admin.delete(&path).await.expect(204);
    admin.get(&path).await.expect(404);
    admin.delete(&path).await.expect(404);
}

#[tokio::test]
async fn nobody_grants_above_their_own_role_nor_manages_who_is_above() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let (owner, admin, ada) = (
        acme.owner().await,
        acme.admin("grace").await,
        acme.member("ada").await,
    );
    let (owner_id, ada_id) = (id_of(&owner).await, id_of(&ada).await);

    admin
        .post("/tenants/users", new("eve", "owner"))
        .await
        .expect(403);
    let path = format!("/tenants/users/{owner_id}");
    admin
        .patch(&path, json!({"is_active": false}))
        .await
        .expect(403);
    admin
        .patch(&path, json!({"password": "another password"}))
        .await
        .expect(403);
    admin.delete(&path).await.expect(403);
    let role = format!("/tenants/users/{ada_id}/role");
    admin.put(&role, json!({"role": "admin"})).await.expect(403);
    owner.put(&role, json!({"role": "admin"})).await.expect(200);
    ada.get("/tenants/users").await.expect(200);
    assert_eq!(
        owner
            .put(&role, json!({"role": "king"}))
            .await
            .expect(422)
            .problem(),
        "validation-failed"
    );
    for method in ["/tenants/users", "/tenants/stats", "/tenants/settings"] {
        acme.member("bob").await.get(method).await.expect(403);
    }
}

#[tokio::test]
async fn the_last_owner_stays() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let path = format!("/tenants/users/{}", id_of(&owner).await);
    owner.delete(&path).await.expect(409);
    owner
        .patch(&path, json!({"is_active": false}))
        .await
        .expect(409);
    owner
        .put(&format!("{path}/role"), json!({"role": "admin"}))
        .await
        .expect(409);

    let second = owner
        .post("/tenants/users", new("eve", "owner"))
        .await
        .expect(201)
        .json();
    owner
        .put(&format!("{path}/role"), json!({"role": "admin"}))
        .await
        .expect(200);
    // A lower role ended the session; the one that follows has the lower role.
    owner.get("/tenants/users").await.expect(401);
    let admin = app.tenant("acme").signed_in("owner").await;
    let email = json!({"email": "x@acme.example"});
    admin.patch(&path, email).await.expect(200);
    let other = format!("/tenants/users/{}", second["id"].as_str().unwrap());
    admin.delete(&other).await.expect(403);
}

#[tokio::test]
async fn two_owners_cannot_remove_each_other_at_once() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let owner = acme.owner().await;
    let eve = owner
        .post("/tenants/users", new("eve", "owner"))
        .await
        .expect(201)
        .json();
    let body = json!({"username": "eve", "password": PASSWORD});
    let login = acme
        .anonymous()
        .await
        .post("/oauth/login", body)
        .await
        .expect(200);
    let cookie = login
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let other = acme.anonymous().await.with("cookie", &cookie);
    let (mine, hers) = (id_of(&owner).await, eve["id"].as_str().unwrap().to_owned());
    let (a, b) = (
        format!("/tenants/users/{hers}/role"),
        format!("/tenants/users/{mine}/role"),
    );
    let demote = json!({"role": "user"});
    let (one, two) = tokio::join!(owner.put(&a, demote.clone()), other.put(&b, demote.clone()));
    let done = [&one, &two]
        .iter()
        .filter(|answer| answer.status == 200)
        .count();
    assert_eq!(done, 1, "{} {}", one.status, two.status);
}

#[tokio::test]
async fn a_deactivated_user_is_out_at_once_and_may_come_back() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let owner = acme.owner().await;
    let (token, session) = (acme.user("ada", "read").await, acme.member("ada").await);
    token.get("/api/notes").await.expect(200);
    let path = format!("/tenants/users/{}", id_of(&session).await);

    owner
        .patch(&path, json!({"is_active": false}))
        .await
        .expect(200);
    token.get("/api/notes").await.expect(401);
    session.post("/oauth/logout", json!({})).await.expect(401);
    let login = json!({"username": "ada", "password": PASSWORD});
    acme.anonymous()
        .await
        .post("/oauth/login", login.clone())
        .await
        .expect(401);

    owner
        .patch(&path, json!({"is_active": true}))
        .await
        .expect(200);
    token.get("/api/notes").await.expect(401);
    acme.anonymous()
        .await
        .post("/oauth/login", login)
        .await
        .expect(200);
}

#[tokio::test]
async fn a_demoted_admins_tokens_end() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let owner = acme.owner().await;
    acme.admin("grace").await;
    let grace = acme.user("grace", "read admin").await;
    grace.get("/api/admin").await.expect(200);
    let id = id_of(&acme.member("grace").await).await;
    owner
        .put(
            &format!("/tenants/users/{id}/role"),
            json!({"role": "user"}),
        )
        .await
        .expect(200);
    grace.get("/api/admin").await.expect(401);
    let grace = acme.user("grace", "read admin").await;
    grace.get("/api/admin").await.expect(403);
    grace.get("/api/notes").await.expect(200);
}

#[tokio::test]
async fn a_plan_limits_users_even_at_once() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    for number in 0..7 {
        owner
            .post("/tenants/users", new(&format!("user{number}"), "user"))
            .await
            .expect(201);
    }
    let (a, b, c) = (new("xena", "user"), new("yuri", "user"), new("zoe", "user"));
    let (a, b, c) = tokio::join!(
        owner.post("/tenants/users", a),
        owner.post("/tenants/users", b),
        owner.post("/tenants/users", c),
    );
    let mut statuses = [a.status.as_u16(), b.status.as_u16(), c.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 201, 403]);
    let refused = owner
        .post("/tenants/users", new("last", "user"))
        .await
        .expect(403);
    assert_eq!(refused.problem(), "quota-exceeded");
    let stranger = app.tenant("acme").anonymous().await;
    let refused = stranger
        .post("/oauth/register", new("last", "user"))
        .await
        .expect(403);
    assert_eq!(refused.json()["limit"], 10);
}

#[tokio::test]
async fn strangers_who_register_leave_room_for_those_whom_admins_add() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    let acme = app.tenant("acme").anonymous().await;
    let mut strangers = JoinSet::new();
    for number in 0..9 {
        let acme = acme.clone();
        let body = new(&format!("stranger{number}"), "user");
        strangers.spawn(async move { acme.post("/oauth/register", body).await });
    }
    let answers = strangers.join_all().await;
    let (joined, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.status == 201);
    assert_eq!((joined.len(), refused.len()), (7, 2));
    let problem = refused[0].json();
    assert_eq!(
        (&problem["limit"], &problem["used"], &problem["reserved"]),
        (&json!(10), &json!(8), &json!(2))
    );
    for name in ["xena", "yuri"] {
        owner
            .post("/tenants/users", new(name, "user"))
            .await
            .expect(201);
    }
    let full = owner.post("/tenants/users", new("zoe", "user")).await;
    assert_eq!(full.expect(403).problem(), "quota-exceeded");
}

#[tokio::test]
async fn users_are_listed_page_by_page() {
    let app = TestApp::start().await;
    let owner = app.tenant("acme").owner().await;
    for name in ["abe", "bea", "cyd", "dan"] {
        owner
            .post("/tenants/users", new(name, "user"))
            .await
            .expect(201);
    }
    let first = owner.get("/tenants/users?limit=3").await.expect(200).json();
    let next = first["next"].as_str().unwrap();
    let second = owner
        .get(&format!("/tenants/users?limit=3&cursor={next}"))
        .await
        .expect(200)
        .json();
    let names = |page: &Value| -> Vec<String> {
        page["users"]
            .as_array()
            .unwrap()
            .iter()
            .map(|u| u["username"].as_str().unwrap().to_owned())
            .collect()
    };
    // Those who were added within one millisecond come in any order.
    let mut all = [names(&first), names(&second)].concat();
    assert_eq!(all[0], "owner");
    all.sort();
    assert_eq!(all, ["abe", "bea", "cyd", "dan", "owner"]);
    assert!(second["next"].is_null());
}

#[tokio::test]
async fn a_patch_that_changes_nothing_changes_nothing() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme");
    let (owner, _) = (acme.owner().await, acme.member("ada").await);
    let users = owner.get("/tenants/users?search=ada").await.json();
    let ada = users["users"][0].clone();
    let path = format!("/tenants/users/{}", ada["id"].as_str().unwrap());
    app.clock.advance(time::Duration::minutes(1));
    for same in [
        json!({}),
        json!({"username": "ada", "email": ada["email"], "is_active": true}),
    ] {
        assert_eq!(owner.patch(&path, same).await.expect(200).json(), ada);
    }
    let null = json!({"username": null, "email": null, "password": null, "is_active": null});
    let faults = owner.patch(&path, null).await.expect(422).json()["errors"].clone();
    for field in ["username", "email", "password", "is_active"] {
        assert_eq!(faults[field][0], "cannot be null");
    }
    let renamed = owner
        .patch(&path, json!({"username": "Ada"}))
        .await
        .expect(200)
        .json();
    assert_ne!(renamed["updated_at"], ada["updated_at"]);
}
