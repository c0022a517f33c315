//! `POST /oauth/register`: someone becomes a user of the tenant.

use axum::extract::{Extension, State};
use serde::{Deserialize, Serialize};
use service::{
    Faults, JsonOrForm, Kind, Problem, account,
    body::{Created, Text},
    problem::ProblemBody,
    request::ClientAddr,
};
use tenancy::{Slug, settings::Registration};
use utoipa::ToSchema;

use crate::{
    app::App,
    error::Error,
    ids::UserId,
    rates::share,
    resolve::InTenant,
    store::users::{
        Role,
        changes::{self, NewUser},
    },
    tenants::settings::password_rules,
};

/// Who wants to join. Whatever else the body says, a role among it, is not read.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!(
    {"username": "ada", "email": "ada@example.com", "password": "correct horse battery"}
))]
pub(crate) struct NewAccount {
    /// 3 to 64 of letters, digits, `.`, `_` and `-`.
    #[serde(default)]
    #[schema(value_type = String)]
    username: Text,
    #[serde(default)]
    #[schema(value_type = String)]
    email: Text,
    /// As long and as hard to guess as the tenant's policy asks, 8 characters at least.
    #[serde(default)]
    #[schema(value_type = String, format = Password)]
    password: Text,
}

/// A user who just joined.
#[derive(Serialize, ToSchema)]
#[schema(example = json!(
    {"message": "Welcome.", "user_id": "0197c5a0-7e1c-7cc3-98c4-dc0c0c07398f",
    "username": "ada", "email": "ada@example.com", "tenant_slug": "acme", "role": "user"}
))]
pub(crate) struct Registered {
    message: &'static str,
    user_id: UserId,
    username: String,
    email: String,
    #[schema(value_type = String)]
    tenant_slug: Slug,
    /// Always `user`.
    role: Role,
}

/// Adds a user to the tenant, where it lets anyone register.
#[utoipa::path(post, path = "/oauth/register", tag = "accounts", request_body = NewAccount,
    responses((status = 201, body = Registered), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn register(
    State(app): State<App>,
    Extension(from): Extension<ClientAddr>,
    InTenant { tenant, db }: InTenant,
    JsonOrForm(form): JsonOrForm<NewAccount>,
) -> Result<Created<Registered>, Error> {
    open(tenant.settings.registration)?;
    app.rates.registration(tenant.id, from.network())?;
    let mut faults = Faults::new();
    let username = account::username(form.username, "username", &mut faults);
    let email = account::email(form.email, "email", &mut faults);
    let names = [username.as_deref(), email.as_deref()];
    let rules = password_rules(&tenant);
    let password = account::password(form.password, rules, &names, "password", &mut faults);
    let (Some(username), Some(email), Some(password)) = (username, email, password) else {
        return Err(faults.into());
    };
    let new = NewUser {
        id: UserId::new(app.entropy.id(&app.clock)),
        username,
        email,
        password_hash: app
            .hasher
            .hash(share(&tenant, from.network()), &password)
            .await?,
        role: Role::User,
    };
    let user = changes::insert(&db, None, &new, app.clock.now()).await?;
    Ok(Created(Registered {
        message: "Your account has been created. Sign in with your username or email.",
        user_id: user.id,
        username: user.username,
        email: user.email,
        tenant_slug: tenant.slug.clone(),
        role: user.role,
    }))
}

fn open(registration: Registration) -> Result<(), Problem> {
    let detail = match registration {
        Registration::Open => return Ok(()),
        Registration::Invite => "Ask an administrator for an invitation.",
        Registration::Closed => "Ask an administrator to add you.",
    };
    Err(Problem::new(Kind::RegistrationClosed).detail(detail))
}
