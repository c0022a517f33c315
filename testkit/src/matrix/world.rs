//! Two tenants, their people and their credentials, and the requests that these send.

use std::{cell::RefCell, collections::HashMap};

use serde_json::Value;

use super::{
    Matrix,
    makers::{Holds, Home},
    operation::{Guard, Operation, Parameter, Place},
};
use crate::{
    Answer, Client,
    app::{PASSWORD, SCOPES},
};

/// The values of an operation's parameters.
pub(super) type Values = HashMap<Parameter, String>;

/// Whose credentials a request carries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Who {
    Nobody,
    Session(String),
    Token(String),
    Machine,
    ClientSecret,
    Operator,
}

pub(super) struct World<'a> {
    pub(super) matrix: &'a Matrix<'a>,
    pub(super) home: String,
    pub(super) away: String,
    kept: RefCell<HashMap<(String, Who), Client>>,
}

impl<'a> World<'a> {
    /// Two tenants, with something to page through in each.
    pub(super) async fn new(matrix: &'a Matrix<'a>) -> Self {
        let nowhere = Home {
            app: matrix.app,
            slug: "",
        };
        let world = Self {
            matrix,
            home: nowhere.unique("home-"),
            away: nowhere.unique("away-"),
            kept: RefCell::default(),
        };
        for slug in [&world.home, &world.away] {
            matrix.app.tenant(slug).on_plan("enterprise").await;
        }
        world
    }

    pub(super) fn home(&self) -> Home<'_> {
        self.at(&self.home)
    }

    fn at<'b>(&'b self, slug: &'b str) -> Home<'b> {
        Home {
            app: self.matrix.app,
            slug,
        }
    }

    /// Somebody of a tenant, with credentials that count now: some calls end them.
    pub(super) async fn client(&self, slug: &str, who: &Who) -> Client {
        let key = (slug.to_owned(), who.clone());
        let kept = self.kept.borrow().get(&key).cloned();
        if let Some(client) = kept
            && self.counts(&client, who).await
        {
            return client;
        }
        let client = self.fresh(slug, who).await;
        self.kept.borrow_mut().insert(key, client.clone());
        client
    }

    async fn counts(&self, client: &Client, who: &Who) -> bool {
        let app = client.clone().through(self.matrix.app.router());
        match who {
            Who::Session(_) => {
                let info = app.get("/tenants/info").await;
                info.status == 200 && info.json()["member"].is_object()
            }
            Who::Token(_) | Who::Machine => app.get("/api/protected").await.status == 200,
            _ => true,
        }
    }

    async fn fresh(&self, slug: &str, who: &Who) -> Client {
        let tenant = self.matrix.app.tenant(slug);
        let client = match who {
            Who::Nobody => tenant.anonymous().await,
            Who::Session(role) => match role.as_str() {
                "owner" => tenant.owner().await,
                "admin" => tenant.admin("matrix-admin").await,
                _ => tenant.member("matrix-user").await,
            },
            Who::Token(scope) => tenant.owner_token(scope).await,
            Who::Machine => tenant.machine("read write profile").await,
            Who::ClientSecret => {
                let (id, secret) = tenant.client().await;
                tenant.anonymous().await.with_basic(&id, &secret)
            }
            Who::Operator => self.matrix.app.operator().await.with("x-tenant-slug", slug),
        };
        client.through(self.matrix.router.clone())
    }

    /// Those with just enough rights for an operation.
    pub(super) fn entitled(operation: &Operation) -> Vec<Who> {
        match &operation.guard {
            Guard::Token(scopes) => vec![Who::Token(scopes.join(" "))],
            Guard::Member(role, scopes) => {
                let mut both = vec![Who::Session(role.clone())];
                if !scopes.is_empty() {
                    both.push(Who::Token(scopes.join(" ")));
                }
                both
            }
            Guard::Client => vec![Who::ClientSecret],
            Guard::Operator => vec![Who::Operator],
            Guard::Public | Guard::Unknown => vec![Who::Nobody],
        }
    }

    /// The same, as they ask another tenant: named by the header, or in an operator's path.
    pub(super) async fn entitled_at(&self, slug: &str, operation: &Operation) -> Client {
        let who = Self::entitled(operation).remove(0);
        self.client(slug, &who).await
    }

    /// Values for every id of an operation, all of one home's. In an operator's path `{slug}` is
    /// that home.
    pub(super) async fn values(&self, operation: &Operation) -> Values {
        let mut values = Values::new();
        let mut slug = self.home.clone();
        for (parameter, holds) in operation.ids(&self.matrix.makers) {
            let value = match holds {
                Holds::Id(make) | Holds::Secret(make) => make(self.at(&slug)).await,
                Holds::Text | Holds::Cursor(_) => continue,
            };
            if names_tenant(operation, parameter) {
                slug.clone_from(&value);
            }
            values.insert(parameter.clone(), value);
        }
        values
    }

    /// Sends an operation with the values of its path, and one parameter of query or body.
    pub(super) async fn send(
        &self,
        client: &Client,
        operation: &Operation,
        body: Option<&Value>,
        values: &Values,
        shown: Option<&Parameter>,
    ) -> Answer {
        let mut path = operation.path.clone();
        let mut body = body.cloned();
        for (parameter, value) in values {
            let name = &parameter.name;
            match parameter.place {
                Place::Path => path = path.replace(&format!("{{{name}}}"), &encoded(value)),
                Place::Query if Some(parameter) == shown => {
                    path = format!("{path}?{name}={}", encoded(value));
                }
                Place::Query => (),
                Place::Body => {
                    if let Some(field) = body.as_mut().and_then(|body| body.get_mut(name)) {
                        *field = value.as_str().into();
                    }
                }
            }
        }
        let method = operation.method.clone();
        match body {
            None => client.send(method, &path, None, Vec::new()).await,
            Some(body) if operation.is_form => {
                let fields: Vec<(&str, &str)> = body
                    .as_object()
                    .into_iter()
                    .flatten()
                    .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
                    .collect();
                client.form(&path, &fields).await
            }
            Some(body) => client.json(method, &path, &body).await,
        }
    }
}

/// Whether a parameter says which tenant an operator means.
pub(super) fn names_tenant(operation: &Operation, parameter: &Parameter) -> bool {
    !operation.of_tenant && parameter.place == Place::Path && parameter.name == "slug"
}

/// The bodies that an operation is sent with: none, or one for each example.
pub(super) fn bodies(operation: &Operation) -> Vec<Option<&Value>> {
    if operation.bodies.is_empty() {
        vec![None]
    } else {
        operation.bodies.iter().map(Some).collect()
    }
}

/// As it stands in a path or query.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let mut out = String::new();
    for byte in text.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Credentials of a tenant as somebody else might try them.
pub(super) async fn carried(world: &World<'_>, operation: &Operation) -> Vec<(String, Client)> {
    let bare = world.client(&world.away, &Who::Nobody).await;
    let owner = world
        .client(&world.home, &Who::Session("owner".into()))
        .await;
    let all = world.client(&world.home, &Who::Token(SCOPES.into())).await;
    let machine = world.client(&world.home, &Who::Machine).await;
    let (id, secret) = world.matrix.app.tenant(&world.home).client().await;
    if operation.guard == Guard::Client {
        return vec![("client".into(), bare.with_basic(&id, &secret))];
    }
    let session = owner.cookie().split_once('=').unwrap().1.to_owned();
    let cookie = format!("tenantry_session={}", all.token());
    vec![
        (
            "session".into(),
            bare.clone().with("cookie", &owner.cookie()),
        ),
        ("token".into(), bare.clone().with_token(&all.token())),
        (
            "client's token".into(),
            bare.clone().with_token(&machine.token()),
        ),
        ("client secret".into(), bare.clone().with_token(&secret)),
        (
            "client secret by Basic".into(),
            bare.clone().with_basic(&id, &secret),
        ),
        (
            "session as a token".into(),
            bare.clone().with_token(&session),
        ),
        (
            "token as a session".into(),
            bare.clone().with("cookie", &cookie),
        ),
        (
            "refresh token".into(),
            bare.with_token(&refresh_token(world, &id, &secret).await),
        ),
    ]
}

async fn refresh_token(world: &World<'_>, id: &str, secret: &str) -> String {
    let fields = [
        ("grant_type", "password"),
        ("username", "owner"),
        ("password", PASSWORD),
        ("client_id", id),
        ("client_secret", secret),
    ];
    let client = world.matrix.app.tenant(&world.home).anonymous().await;
    let tokens = client
        .form("/oauth/token", &fields)
        .await
        .expect(200)
        .json();
    tokens["refresh_token"].as_str().unwrap().to_owned()
}
