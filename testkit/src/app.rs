//! Both planes in this process, on a database of the test's own.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use argon2::Params;
use axum::Router;
use control_plane::{Actor, ControlPlane, Lifetime, NewToken};
use data_plane::DataPlane;
use secrecy::ExposeSecret;
use serde_json::json;
use service::{
    Clock, Entropy,
    password::Hasher,
    serve,
    settings::{Addresses, LogFormat, Logging, Network, defaults},
    telemetry,
};
use tokio_util::sync::CancellationToken;

use crate::{
    client::Client,
    database::{TestDatabase, connect},
};

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";
/// Every scope there is.
pub const SCOPES: &str = "openid profile email offline_access read write admin";

/// Both planes behind one router, as `tenantry up` has them.
pub struct TestApp {
    /// The database.
    pub database: TestDatabase,
    /// The control plane, as the command line uses it.
    pub control: ControlPlane,
    /// The time, which a test may move.
    pub clock: Clock,
    /// The description of every route.
    pub api: utoipa::openapi::OpenApi,
    addresses: Addresses,
    settings: data_plane::Settings,
    paths: Vec<String>,
    router: Router,
    /// OAuth clients made for tokens, by tenant: id and secret.
    clients: Arc<Mutex<HashMap<String, (String, String)>>>,
}

/// A tenant to be, or one that is there already.
pub struct Tenant<'a> {
    app: &'a TestApp,
    slug: String,
}

impl TestApp {
    /// Starts both planes.
    pub async fn start() -> Self {
        Self::start_with(Addresses::default()).await
    }

    /// Starts both planes under other addresses.
    pub async fn start_with(addresses: Addresses) -> Self {
        Self::start_as(addresses, defaults()).await
    }

    /// Starts both planes, the data plane under other settings.
    pub async fn configured(change: impl FnOnce(&mut data_plane::Settings)) -> Self {
        let mut settings = defaults();
        change(&mut settings);
        Self::start_as(Addresses::default(), settings).await
    }

    async fn start_as(addresses: Addresses, settings: data_plane::Settings) -> Self {
        // Shown by the runner for tests that fail.
        let level = std::env::var("LOG_LEVEL").unwrap_or_else(|_| "warn".to_owned());
        telemetry::logs(&Logging {
            log_format: LogFormat::Pretty,
            log_level: level,
        })
        .unwrap();
        let database = TestDatabase::create().await.unwrap();
        let (clock, entropy) = (Clock::movable(), Entropy::system().unwrap());
        let hasher = cheap(&entropy);
        let control = ControlPlane::new(
            &defaults(),
            &addresses,
            &database.control(),
            hasher.clone(),
            clock.clone(),
            entropy.clone(),
        )
        .unwrap();
        let data = data_plane(&settings, &database, &addresses, &clock, &entropy, hasher);
        let routes = data.router.clone().merge(control.router());
        let (router, api) = routes.split_for_parts();
        let paths = paths(&router);
        let health: Router = data.health.routes().into();
        let router = data.layers(router.merge(health), &Network::default(), &entropy);
        let clients = Arc::default();
        Self {
            database,
            control,
            clock,
            api,
            addresses,
            settings,
            paths,
            router,
            clients,
        }
    }

    /// What answers every request.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// The path of every route, described or not.
    #[must_use]
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Another node's data plane on the same database: somebody who talks to that one.
    #[must_use]
    pub fn another_node(&self) -> Client {
        let entropy = Entropy::system().unwrap();
        let hasher = cheap(&entropy);
        let data = data_plane(
            &self.settings,
            &self.database,
            &self.addresses,
            &self.clock,
            &entropy,
            hasher,
        );
        let router = data.router.clone().into();
        Client::new(data.layers(router, &Network::default(), &entropy))
    }

    /// Serves on a port of loopback as well, until the test ends.
    pub async fn serve(&self) -> SocketAddr {
        let (network, router) = (Network::default(), self.router.clone());
        let listener = serve::listen(([127, 0, 0, 1], 0).into(), "PORT")
            .await
            .unwrap();
        let address = listener.local_addr().unwrap();
        let never = CancellationToken::new();
        tokio::spawn(async move { serve::run(listener, None, router, &network, never).await });
        address
    }

    /// How many transactions the database has seen.
    pub async fn transactions(&self) -> i64 {
        let client = connect(&self.database.admin()).await.unwrap();
        let sql = "SELECT xact_commit + xact_rollback FROM pg_stat_database \
                   WHERE datname = current_database()";
        client.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Somebody who names no tenant and has no credentials.
    #[must_use]
    pub fn anonymous(&self) -> Client {
        Client::new(self.router.clone())
    }

    /// An operator.
    pub async fn operator(&self) -> Client {
        let new = NewToken {
            name: "tests".to_owned(),
            lifetime: Lifetime::Never,
        };
        let made = self.control.create_token(new, &Actor::CommandLine).await;
        let (token, _) = made.unwrap();
        self.anonymous().with_token(token.expose_secret())
    }

    /// A tenant, made when somebody of it is first asked for.
    #[must_use]
    pub fn tenant(&self, slug: &str) -> Tenant<'_> {
        Tenant {
            app: self,
            slug: slug.to_owned(),
        }
    }
}

impl Tenant<'_> {
    /// Somebody without credentials.
    pub async fn anonymous(&self) -> Client {
        self.make("free").await;
        self.app.anonymous().with("x-tenant-slug", &self.slug)
    }

    /// The same tenant, on another plan.
    pub async fn on_plan(self, plan: &str) -> Self {
        self.make(plan).await;
        self
    }

    /// Its owner, with a session.
    pub async fn owner(&self) -> Client {
        self.make("free").await;
        self.signed_in("owner").await
    }

    /// An admin, with a session.
    pub async fn admin(&self, username: &str) -> Client {
        self.add(username, "admin").await;
        self.signed_in(username).await
    }

    /// A user, with a session.
    pub async fn member(&self, username: &str) -> Client {
        self.add(username, "user").await;
        self.signed_in(username).await
    }

    /// A user, with a token of some scopes.
    pub async fn user(&self, username: &str, scope: &str) -> Client {
        self.add(username, "user").await;
        self.token_of(username, scope).await
    }

    /// Its owner, with a token of some scopes.
    pub async fn owner_token(&self, scope: &str) -> Client {
        self.make("free").await;
        self.token_of("owner", scope).await
    }

    /// A client that acts for itself, with a token of some scopes.
    pub async fn machine(&self, scope: &str) -> Client {
        self.make("free").await;
        let fields = [("grant_type", "client_credentials"), ("scope", scope)];
        self.token(&fields).await
    }

    /// Id and secret of its OAuth client for tests, which may use every grant and scope.
    pub async fn client(&self) -> (String, String) {
        if let Some(known) = self.app.clients.lock().unwrap().get(&self.slug) {
            return known.clone();
        }
        let body = json!({
            "client_name": "tests",
            "grant_types": ["password", "client_credentials", "refresh_token"],
            "scope": SCOPES,
        });
        let answer = self
            .owner()
            .await
            .post("/oauth/client/register", body)
            .await
            .expect(201);
        let body = answer.json();
        let text = |field: &str| body[field].as_str().unwrap().to_owned();
        let client = (text("client_id"), text("client_secret"));
        self.app
            .clients
            .lock()
            .unwrap()
            .insert(self.slug.clone(), client.clone());
        client
    }

    async fn make(&self, plan: &str) {
        let word = self
            .app
            .anonymous()
            .get(&format!("/tenants/register?slug={}", self.slug))
            .await;
        if word.json()["available"] == true {
            let body = sign_up(&self.slug, plan);
            self.app
                .anonymous()
                .post("/tenants/register", body)
                .await
                .expect(201);
        }
    }

    async fn add(&self, username: &str, role: &str) {
        let body = json!({
            "username": username, "email": format!("{username}@{}.example", self.slug),
            "password": PASSWORD, "role": role,
        });
        let answer = self.owner().await.post("/tenants/users", body).await;
        assert!(
            [201, 409].contains(&answer.status.as_u16()),
            "{}",
            answer.text()
        );
    }

    /// A user who is there already, with a session.
    pub async fn signed_in(&self, username: &str) -> Client {
        let client = self.app.anonymous().with("x-tenant-slug", &self.slug);
        let body = json!({ "username": username, "password": PASSWORD });
        let answer = client.post("/oauth/login", body).await.expect(200);
        let cookie = answer
            .header("set-cookie")
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        client.with("cookie", &cookie)
    }

    async fn token_of(&self, username: &str, scope: &str) -> Client {
        let fields = [
            ("grant_type", "password"),
            ("username", username),
            ("password", PASSWORD),
            ("scope", scope),
        ];
        self.token(&fields).await
    }

    async fn token(&self, fields: &[(&str, &str)]) -> Client {
        let (id, secret) = self.client().await;
        let client = self.app.anonymous().with("x-tenant-slug", &self.slug);
        let credentials = [
            ("client_id", id.as_str()),
            ("client_secret", secret.as_str()),
        ];
        let answer = client
            .form("/oauth/token", &[fields, &credentials].concat())
            .await
            .expect(200);
        client.with_token(answer.json()["access_token"].as_str().unwrap())
    }
}

/// The paths of a router's routes, which it shows nowhere but in its debug form.
fn paths(router: &Router) -> Vec<String> {
    let shown = format!("{router:?}");
    let (shown, _fallbacks) = shown.split_once("fallback_router").unwrap();
    let routes = shown
        .split("RouteId(")
        .filter_map(|rest| rest.split_once("): \"/"));
    let ids = routes.filter(|(id, _)| id.parse::<u32>().is_ok());
    let paths = ids.filter_map(|(_, rest)| rest.split('"').next());
    let paths: Vec<String> = paths.map(|path| format!("/{path}")).collect();
    assert!(paths.len() > 20, "the debug form of a router has changed");
    paths
}

fn cheap(entropy: &Entropy) -> Hasher {
    let params = Params::new(8, 1, 1, None).unwrap();
    Hasher::with_params(entropy.clone(), params).unwrap()
}

fn data_plane(
    settings: &data_plane::Settings,
    database: &TestDatabase,
    addresses: &Addresses,
    clock: &Clock,
    entropy: &Entropy,
    hasher: Hasher,
) -> DataPlane {
    let (clock, entropy) = (clock.clone(), entropy.clone());
    DataPlane::new(
        settings,
        addresses,
        &database.data(),
        hasher,
        clock,
        entropy,
    )
    .unwrap()
}

/// A sign-up without faults; its owner is `owner`.
#[must_use]
pub fn sign_up(slug: &str, plan: &str) -> serde_json::Value {
    json!({
        "tenant_name": slug,
        "tenant_slug": slug,
        "admin_username": "owner",
        "admin_email": format!("owner@{slug}.example"),
        "admin_password": PASSWORD,
        "plan": plan,
    })
}
