//! Whatever ends a right, against whatever grants one: in both orders, at the row that both lock,
//! and at random.

use std::num::{NonZeroU16, NonZeroU32};

use serde_json::{Value, json};
use testkit::{Answer, Client, TestApp, app::PASSWORD, interleave::Held, seed};

const NEW_PASSWORD: &str = "another good password";

/// What is granted.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Grant {
    SignIn,
    Password,
    Refresh,
}

/// What ends it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Revoke,
    Replay,
    OwnPassword,
    PasswordByOwner,
    PasswordByOperator,
    Deactivation,
    Demotion,
    Removal,
    ClientRemoval,
}

const GRANTS: [Grant; 3] = [Grant::SignIn, Grant::Password, Grant::Refresh];
const ENDS: [End; 9] = [
    End::Revoke,
    End::Replay,
    End::OwnPassword,
    End::PasswordByOwner,
    End::PasswordByOperator,
    End::Deactivation,
    End::Demotion,
    End::Removal,
    End::ClientRemoval,
];

impl End {
    /// Whether it concerns what is granted: a session has neither client nor refresh token.
    fn concerns(self, grant: Grant) -> bool {
        match self {
            Self::Revoke | Self::Replay => grant == Grant::Refresh,
            Self::ClientRemoval => grant != Grant::SignIn,
            _ => true,
        }
    }

    /// The row that both lock.
    fn row(self) -> &'static str {
        match self {
            Self::Revoke | Self::Replay => {
                "SELECT FROM authorizations ORDER BY created_at DESC LIMIT 1 FOR UPDATE"
            }
            Self::ClientRemoval => {
                "SELECT FROM clients ORDER BY created_at DESC LIMIT 1 FOR UPDATE"
            }
            _ => "SELECT FROM users ORDER BY created_at DESC LIMIT 1 FOR UPDATE",
        }
    }
}

/// A user of acme with a client of their own, and everybody who may do something to them.
#[derive(Clone)]
struct Case {
    acme: Client,
    owner: Client,
    operator: Client,
    /// The user's own session.
    own: Client,
    user: String,
    name: String,
    client: (String, String),
    used: String,
    refresh: String,
}

impl Case {
    async fn new(app: &TestApp, owner: &Client, operator: &Client, name: &str) -> Self {
        let acme = app.tenant("acme").anonymous().await;
        let own = app.tenant("acme").admin(name).await;
        let user = own.get("/tenants/info").await.json()["member"]["id"].clone();
        let metadata = json!({
            "client_name": name, "grant_types": ["password", "refresh_token"], "scope": "read admin",
        });
        let made = owner.post("/oauth/client/register", metadata).await;
        let made = made.expect(201).json();
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        let mut case = Self {
            client: (text("client_id"), text("client_secret")),
            user: user.as_str().unwrap().to_owned(),
            name: name.to_owned(),
            owner: owner.clone(),
            operator: operator.clone(),
            acme,
            own,
            used: String::new(),
            refresh: String::new(),
        };
        let first = case.grant(Grant::Password).await.expect(200).json();
        case.refresh = first["refresh_token"].as_str().unwrap().to_owned();
        let next = case.grant(Grant::Refresh).await.expect(200).json();
        case.used = std::mem::replace(
            &mut case.refresh,
            next["refresh_token"].as_str().unwrap().to_owned(),
        );
        case
    }

    async fn token(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let (id, secret) = &self.client;
        let own = [("client_id", id.as_str()), ("client_secret", secret)];
        self.acme.form(path, &[fields, &own].concat()).await
    }

    async fn refresh_with(&self, token: &str) -> Answer {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.token("/oauth/token", &fields).await
    }

    async fn grant(&self, grant: Grant) -> Answer {
        let user = [("username", self.name.as_str()), ("password", PASSWORD)];
        match grant {
            Grant::SignIn => {
                let body = json!({"username": self.name, "password": PASSWORD});
                self.acme.post("/oauth/login", body).await
            }
            Grant::Password => {
                let fields = [("grant_type", "password"), user[0], user[1]];
                self.token("/oauth/token", &fields).await
            }
            Grant::Refresh => self.refresh_with(&self.refresh).await,
        }
    }

    async fn end(&self, end: End) -> Answer {
        let path = format!("/tenants/users/{}", self.user);
        let password = json!({"password": NEW_PASSWORD});
        match end {
            End::Revoke => {
                let fields = [("token", self.refresh.as_str())];
                self.token("/oauth/revoke", &fields).await
            }
            End::Replay => self.refresh_with(&self.used).await,
            End::OwnPassword => self.own.patch(&path, password).await,
            End::PasswordByOwner => self.owner.patch(&path, password).await,
            End::PasswordByOperator => {
                let path = format!("/control/v1/tenants/acme/users/{}/password", self.name);
                self.operator.put(&path, password).await
            }
            End::Deactivation => self.owner.patch(&path, json!({"is_active": false})).await,
            End::Demotion => {
                let role = json!({"role": "user"});
                self.owner.put(&format!("{path}/role"), role).await
            }
            End::Removal => self.owner.delete(&path).await,
            End::ClientRemoval => {
                let path = format!("/oauth/client/{}", self.client.0);
                self.owner.delete(&path).await
            }
        }
    }

    /// Sees that nothing that was granted works, and that it stays so.
    async fn is_over(&self, granted: &Answer, what: &str) {
        if granted.status != 200 {
            let refused = granted.status.as_u16();
            assert!([400, 401].contains(&refused), "{what}: {}", granted.text());
            return;
        }
        // A user who is activated again signs in anew.
        let path = format!("/tenants/users/{}", self.user);
        self.owner.patch(&path, json!({"is_active": true})).await;
        if let Some(cookie) = granted.headers.get("set-cookie") {
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
            let session = self.acme.clone().with("cookie", cookie);
            let info = session.get("/tenants/info").await.expect(200).json();
            assert_eq!(info.get("member"), None, "{what}: the session lives");
            return;
        }
        let body: Value = granted.json();
        let access = body["access_token"].as_str().unwrap();
        let bearer = self.acme.clone().with_token(access);
        let opened = bearer.get("/api/protected").await.status;
        assert_eq!(opened, 401, "{what}: the access token lives");
        let refresh = body["refresh_token"].as_str().unwrap();
        let refreshed = self.refresh_with(refresh).await.status.as_u16();
        assert!([400, 401].contains(&refreshed), "{what}: a refresh works");
    }
}

async fn people(app: &TestApp) -> (Client, Client) {
    let acme = app.tenant("acme").on_plan("enterprise").await;
    (acme.owner().await, app.operator().await)
}

/// Lets one request wait at the row first and the other behind it, then both go on.
async fn in_order(app: &TestApp, case: &Case, grant: Grant, end: End, end_first: bool) -> Answer {
    let held = Held::lock(app, "acme", end.row()).await;
    let granting = case.clone();
    let grant = async move { granting.grant(grant).await };
    let ending = case.clone();
    let end = async move { ending.end(end).await };
    let (granted, ended) = if end_first {
        let ended = tokio::spawn(end);
        held.waiters(1).await;
        let granted = tokio::spawn(grant);
        held.waiters(2).await;
        (granted, ended)
    } else {
        let granted = tokio::spawn(grant);
        held.waiters(1).await;
        let ended = tokio::spawn(end);
        held.waiters(2).await;
        (granted, ended)
    };
    held.release().await;
    let ended = ended.await.unwrap();
    assert!(
        ended.status.is_success() || ended.status == 400,
        "{}",
        ended.text()
    );
    granted.await.unwrap()
}

#[tokio::test]
async fn what_ends_a_right_ends_what_is_being_granted_in_either_order() {
    let app = TestApp::start().await;
    let (owner, operator) = people(&app).await;
    for (at, end) in ENDS.into_iter().enumerate() {
        for grant in GRANTS.into_iter().filter(|grant| end.concerns(*grant)) {
            for end_first in [false, true] {
                let name = format!("user-{at}-{grant:?}-{end_first}");
                let case = Case::new(&app, &owner, &operator, &name).await;
                let what = format!("{grant:?} beside {end:?}, the end first: {end_first}");
                let granted = in_order(&app, &case, grant, end, end_first).await;
                assert_eq!(
                    granted.status == 200,
                    !end_first,
                    "{what}: {}",
                    granted.text()
                );
                case.is_over(&granted, &what).await;
            }
        }
    }
}

#[tokio::test]
async fn what_ends_a_right_ends_what_is_being_granted_at_random() {
    // All come from one address, and many come too late for their password.
    let app = TestApp::configured(|settings| {
        settings.logins_per_minute = NonZeroU32::MAX;
        settings.failed_sign_ins_per_address = NonZeroU16::MAX;
    })
    .await;
    let (owner, operator) = people(&app).await;
    let entropy = seed::printed();
    for round in 0..testkit::rounds(12, 600) {
        let [one, two, delay, first] = entropy.bytes();
        let grant = GRANTS[usize::from(one) % GRANTS.len()];
        // After a demotion, a sign-in with the same password is a right of its own.
        let fits =
            |end: &End| end.concerns(grant) && (*end != End::Demotion || grant == Grant::Refresh);
        let fitting: Vec<End> = ENDS.into_iter().filter(fits).collect();
        let end = fitting[usize::from(two) % fitting.len()];
        let case = Case::new(&app, &owner, &operator, &format!("user-{round}")).await;
        let later = async |is_later: bool| {
            for _ in 0..if is_later { delay } else { 0 } {
                tokio::task::yield_now().await;
            }
        };
        let (granted, ended) = tokio::join!(
            async {
                later(first % 2 == 0).await;
                case.grant(grant).await
            },
            async {
                later(first % 2 == 1).await;
                case.end(end).await
            }
        );
        let what = format!("round {round}, {grant:?} beside {end:?}");
        assert!(!ended.status.is_server_error(), "{what}: {}", ended.text());
        case.is_over(&granted, &what).await;
    }
}

#[tokio::test]
async fn nobody_acts_on_somebody_who_has_become_an_owner_meanwhile() {
    let app = TestApp::start().await;
    let (owner, operator) = people(&app).await;
    let admin = app.tenant("acme").admin("admin").await;
    for name in ["password", "removal"] {
        let case = Case::new(&app, &owner, &operator, name).await;
        let path = format!("/tenants/users/{}", case.user);
        let held = Held::lock(&app, "acme", End::Removal.row()).await;
        let (promoting, role) = (owner.clone(), format!("{path}/role"));
        let promoted =
            tokio::spawn(async move { promoting.put(&role, json!({"role": "owner"})).await });
        held.waiters(1).await;
        let (acting, at) = (admin.clone(), path.clone());
        let acted = tokio::spawn(async move {
            match name {
                "password" => acting.patch(&at, json!({"password": NEW_PASSWORD})).await,
                _ => acting.delete(&at).await,
            }
        });
        held.waiters(2).await;
        held.release().await;
        promoted.await.unwrap().expect(200);
        acted.await.unwrap().expect(403);
        case.grant(Grant::SignIn).await.expect(200);
    }
}

#[tokio::test]
async fn nobody_acts_by_a_role_that_they_have_lost_meanwhile() {
    let app = TestApp::start().await;
    let (owner, operator) = people(&app).await;
    let victim = Case::new(&app, &owner, &operator, "victim").await;
    let actor = Case::new(&app, &owner, &operator, "actor").await;
    let held = Held::lock(&app, "acme", End::Removal.row()).await;
    let demoting = actor.clone();
    let demoted = tokio::spawn(async move { demoting.end(End::Demotion).await });
    held.waiters(1).await;
    let path = format!("/tenants/users/{}", victim.user);
    let acting = actor.own.clone();
    let acted =
        tokio::spawn(async move { acting.patch(&path, json!({"password": NEW_PASSWORD})).await });
    held.waiters(2).await;
    held.release().await;
    demoted.await.unwrap().expect(200);
    acted.await.unwrap().expect(403);
    victim.grant(Grant::SignIn).await.expect(200);
}

#[tokio::test]
async fn the_session_that_changed_its_own_password_goes_on_under_a_new_secret() {
    let app = TestApp::start().await;
    let (owner, operator) = people(&app).await;
    let case = Case::new(&app, &owner, &operator, "ada").await;
    let other = app.tenant("acme").admin("ada").await;
    let answer = case.end(End::OwnPassword).await.expect(200);
    let cookie = answer.header("set-cookie").split(';').next().unwrap();
    let member = async |client: &Client| {
        let info = client.get("/tenants/info").await.expect(200).json();
        info.get("member").is_some()
    };
    let renewed = case.acme.clone().with("cookie", cookie);
    assert!(member(&renewed).await);
    assert!(!member(&case.own).await, "the old secret works");
    assert!(!member(&other).await, "another session works");
}

#[tokio::test]
async fn a_changed_address_or_name_ends_nothing() {
    let app = TestApp::start().await;
    let (owner, operator) = people(&app).await;
    let case = Case::new(&app, &owner, &operator, "ada").await;
    let path = format!("/tenants/users/{}", case.user);
    let email = json!({"email": "ada@elsewhere.example", "is_active": true});
    owner.patch(&path, email).await.expect(200);
    case.grant(Grant::Refresh).await.expect(200);
    let info = case.own.get("/tenants/info").await.expect(200).json();
    assert_eq!(info["member"]["email"], "ada@elsewhere.example");
}
