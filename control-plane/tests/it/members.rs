use serde_json::{Value, json};

use crate::support::{Answer, TestApp, application_with};

fn grace() -> Value {
    json!({ "username": "grace", "email": "grace@example.com", "password": "correct horse" })
}

async fn add(app: &TestApp, user: &Value) -> Answer {
    app.operate_with("POST", "/tenants/acme/users", user).await
}

async fn set_password(app: &TestApp, user: &str, password: &str) -> Answer {
    let path = format!("/tenants/acme/users/{user}/password");
    app.operate_with("PUT", &path, &json!({ "password": password }))
        .await
}

#[tokio::test]
async fn a_user_is_added_in_a_role() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let made = add(&app, &grace()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json()["role"], "user");
    let mut owner = grace();
    owner["username"] = json!("hedy");
    owner["email"] = json!("hedy@example.com");
    owner["role"] = json!("owner");
    assert_eq!(add(&app, &owner).await.json()["role"], "owner");
    assert_eq!(app.count("SELECT count(*) FROM tenant_acme.users").await, 3);
}

#[tokio::test]
async fn faults_of_a_user_are_told_at_once() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let bad = json!({ "username": "a b", "email": "x", "password": "short", "role": "king" });
    assert_eq!(
        add(&app, &bad).await.faulty(),
        ["email", "password", "role", "username"]
    );
    assert_eq!(
        add(&app, &json!({})).await.faulty(),
        ["email", "password", "username"]
    );
}

#[tokio::test]
async fn usernames_and_addresses_are_unique_whatever_their_case() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    for (field, value) in [("username", "ADA"), ("email", "Ada@Example.com")] {
        let mut user = grace();
        user[field] = json!(value);
        let answer = add(&app, &user).await;
        assert_eq!(
            (answer.problem(), answer.faulty()),
            ("conflict".to_owned(), vec![field.to_owned()])
        );
    }
}

#[tokio::test]
async fn a_plan_has_room_for_so_many() {
    let app = TestApp::start().await;
    app.admin()
        .await
        .batch_execute("UPDATE platform.plans SET max_users = 2 WHERE name = 'free'")
        .await
        .unwrap();
    app.tenant("acme").await;
    assert_eq!(add(&app, &grace()).await.status, 201);
    let mut third = grace();
    third["username"] = json!("hedy");
    third["email"] = json!("hedy@example.com");
    let refused = add(&app, &third).await;
    assert_eq!(refused.problem(), "quota-exceeded");
    assert_eq!(
        (&refused.json()["limit"], &refused.json()["used"]),
        (&json!(2), &json!(2))
    );
}

#[tokio::test]
async fn a_new_password_ends_what_acted_for_the_user() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let admin = app.admin().await;
    admin
        .batch_execute(
            "INSERT INTO tenant_acme.sessions \
             SELECT '\\x01', id, now(), now() + interval '1 day' FROM tenant_acme.users",
        )
        .await
        .unwrap();
    let hash = "SELECT password_hash FROM tenant_acme.users";
    let before: String = admin.query_one(hash, &[]).await.unwrap().get(0);
    for user in ["ada", "ADA@example.com"] {
        assert_eq!(
            set_password(&app, user, "another horse").await.json()["username"],
            "ada"
        );
    }
    let after: String = admin.query_one(hash, &[]).await.unwrap().get(0);
    assert_ne!(before, after);
    assert_eq!(
        app.count("SELECT count(*) FROM tenant_acme.sessions").await,
        0
    );
}

#[tokio::test]
async fn only_that_tenants_user_is_changed() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let globex = application_with("globex", "admin_username", "grace");
    assert_eq!(app.register(&globex).await.status, 201);
    assert_eq!(
        set_password(&app, "grace", "another horse").await.problem(),
        "not-found"
    );
    assert_eq!(
        set_password(&app, "nobody%00", "another horse")
            .await
            .problem(),
        "malformed-request"
    );
    assert_eq!(
        set_password(&app, "ada", "short").await.faulty(),
        ["password"]
    );
}

#[tokio::test]
async fn a_new_password_is_what_the_tenant_asks_for() {
    let app = TestApp::start().await;
    app.tenant("acme").await;
    let new = |password: &str| json!({"username": "linus", "email": "linus@b\u{fc}cher.example", "password": password});
    let add = async |password: &str| {
        app.operate_with("POST", "/tenants/acme/users", &new(password))
            .await
    };
    for bad in ["password", "linus@xn--bcher-kva.example"] {
        assert_eq!(add(bad).await.faulty(), ["password"], "{bad}");
    }
    let policy = r#"{"password_policy": {"min_length": 12, "min_score": 3}}"#;
    let sql = format!("UPDATE platform.tenants SET settings = '{policy}' WHERE slug = 'acme'");
    app.admin().await.batch_execute(&sql).await.unwrap();
    for bad in ["secure123", "linus1234567"] {
        assert_eq!(add(bad).await.faulty(), ["password"], "{bad}");
    }
    assert_eq!(add("unwieldy tangerine mill").await.status, 201);
    let email = "LINUS@b%C3%BCcher.example";
    assert_eq!(
        set_password(&app, email, "linus1234567").await.faulty(),
        ["password"]
    );
    assert_eq!(
        set_password(&app, email, "another unwieldy mill")
            .await
            .status,
        200
    );
}
