//! `/tenants/users`: who belongs to the tenant.
//!
//! Admins manage users and other admins; owners are managed by owners; nobody gives a role above
//! their own; and the last active owner stays.

use axum::{
    extract::{Extension, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use service::{
    Faults, Json, Kind, Minted, Patched, Problem, Query,
    account::{self, PasswordRules},
    body::{Created, Text},
    problem::ProblemBody,
    request::ClientAddr,
};
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::App,
    caller::{Admin, Member, Owner, Session, set_cookie},
    error::Error,
    ids::{Id, UserId},
    page,
    rates::share,
    store::users::{
        self, Filter, Role, User,
        changes::{self, Changes, NewUser, RenewedSession},
    },
    tenants::settings::password_rules,
};

/// Which users to list.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Search {
    /// Users whose username or email contains this.
    search: Option<String>,
    /// `owner`, `admin` or `user`.
    #[param(inline, value_type = Option<Role>)]
    role: Option<String>,
    /// `true` or `false`.
    is_active: Option<bool>,
    /// 1 to 200; default 50.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 200)]
    limit: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// A page of users.
#[derive(Serialize, ToSchema)]
#[schema(example = json!(
    {"users": [{"id": "0197c5a0-7e1c-7cc3-98c4-dc0c0c07398f", "username": "ada",
    "email": "ada@example.com", "role": "user", "is_active": true,
    "created_at": "2026-01-31T09:30:00Z", "updated_at": "2026-01-31T09:30:00Z",
    "last_login_at": null}], "next": null}
))]
pub(crate) struct UserPage {
    users: Vec<User>,
    /// Where to go on; `null` on the last page.
    next: Option<String>,
}

/// A user to be added by an admin.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!(
    {"username": "ada", "email": "ada@example.com", "password": "correct horse battery",
    "role": "user"}
))]
pub(crate) struct NewMember {
    #[serde(default)]
    #[schema(value_type = String)]
    username: Text,
    #[serde(default)]
    #[schema(value_type = String)]
    email: Text,
    #[serde(default)]
    #[schema(value_type = String, format = Password)]
    password: Text,
    /// `user` (default), `admin` or `owner`, not above the caller's own.
    #[serde(default)]
    #[schema(value_type = Option<Role>)]
    role: Text,
}

/// What is to be changed (RFC 7396): what is absent stays; nothing of a user can be cleared.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"is_active": false}))]
pub(crate) struct UserChanges {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    username: Patched<Text>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    email: Patched<Text>,
    /// A new password ends the user's sessions and revokes their tokens.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    password: Patched<Text>,
    /// `false` deactivates: no sign-in, and no session or token counts.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    is_active: Patched<bool>,
}

impl UserChanges {
    /// The changes, and the new password, which is still to be hashed.
    fn check(
        self,
        current: &User,
        rules: PasswordRules,
    ) -> Result<(Changes, Option<SecretString>), Faults> {
        let mut faults = Faults::new();
        let username = self.username.replacement("username", &mut faults);
        let username = username.and_then(|text| account::username(text, "username", &mut faults));
        let email = self.email.replacement("email", &mut faults);
        let email = email.and_then(|text| account::email(text, "email", &mut faults));
        let names = [
            username.as_deref().or(Some(&current.username)),
            email.as_deref().or(Some(&current.email)),
        ];
        let password = self.password.replacement("password", &mut faults);
        let password = password
            .and_then(|text| account::password(text, rules, &names, "password", &mut faults));
        let is_active = self.is_active.replacement("is_active", &mut faults);
        let changes = Changes {
            username,
            email,
            is_active,
            ..Changes::default()
        };
        if faults.is_empty() {
            Ok((changes, password))
        } else {
            Err(faults)
        }
    }
}

/// A role to be given.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"role": "admin"}))]
pub(crate) struct NewRole {
    /// `owner`, `admin` or `user`.
    #[serde(default)]
    #[schema(value_type = Role)]
    role: Text,
}

/// Lists users in the order in which they were added. For admins and owners.
#[utoipa::path(get, path = "/tenants/users", tag = "tenant", params(Search),
    security(("session" = ["admin"]), ("bearer" = ["admin"])), responses(
    (status = 200, body = UserPage), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn list(
    Admin(member): Admin,
    Query(search): Query<Search>,
) -> Result<Json<UserPage>, Error> {
    let limit = page::limit(search.limit.as_deref())?;
    let after: Option<uuid::Uuid> = page::after(search.cursor.as_deref())?;
    let unknown = || Problem::new(Kind::ValidationFailed).field("role", "is not a role");
    let role = search
        .role
        .as_deref()
        .map(|text| Role::read(text).ok_or_else(unknown));
    let filter = Filter {
        after: after.map(UserId::new),
        search: search.search.as_deref(),
        role: role.transpose()?,
        is_active: search.is_active,
    };
    let mut users = users::list(&member.db, &filter, limit + 1).await?;
    let next = page::cut(&mut users, limit, |user| *user.id.as_uuid());
    Ok(Json(UserPage { users, next }))
}

/// One user. For admins and owners.
#[utoipa::path(get, path = "/tenants/users/{id}", tag = "tenant", params(("id" = UserId, Path, description = "The user's id")),
    security(("session" = ["admin"]), ("bearer" = ["admin"])), responses(
    (status = 200, body = User), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn get(Admin(member): Admin, Id(id): Id<UserId>) -> Result<Json<User>, Error> {
    users::by_id(&member.db, id).await.map(Json)
}

/// Adds a user, whatever the tenant's setting for registration. For admins and owners.
#[utoipa::path(post, path = "/tenants/users", tag = "tenant", request_body = NewMember,
    security(("session" = ["admin"]), ("bearer" = ["admin"])), responses(
    (status = 201, body = User), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn create(
    State(app): State<App>,
    Extension(from): Extension<ClientAddr>,
    Admin(Member {
        tenant, db, user, ..
    }): Admin,
    Json(new): Json<NewMember>,
) -> Result<Created<User>, Error> {
    let mut faults = Faults::new();
    let username = account::username(new.username, "username", &mut faults);
    let email = account::email(new.email, "email", &mut faults);
    let (rules, names) = (
        password_rules(&tenant),
        [username.as_deref(), email.as_deref()],
    );
    let password = account::password(new.password, rules, &names, "password", &mut faults);
    let role = match new.role {
        Text::Missing => Some(Role::User),
        role => self::role(role, &mut faults),
    };
    let (Some(username), Some(email), Some(password), Some(role)) =
        (username, email, password, role)
    else {
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
        role,
    };
    let added = changes::insert(&db, Some(&user), &new, app.clock.now()).await;
    added.map(Created)
}

/// Changes a user. A new password ends their sessions and revokes their tokens; the session in which
/// somebody changes their own goes on, under the cookie of the answer. For admins and owners.
#[utoipa::path(patch, path = "/tenants/users/{id}", tag = "tenant", request_body = UserChanges,
    params(("id" = UserId, Path, description = "The user's id")), security(("session" = ["admin"]), ("bearer" = ["admin"])), responses(
    (status = 200, body = User), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn patch(
    State(app): State<App>,
    Extension(from): Extension<ClientAddr>,
    Admin(member): Admin,
    Id(id): Id<UserId>,
    Json(changes): Json<UserChanges>,
) -> Result<Response, Error> {
    let Member {
        tenant, db, user, ..
    } = &member;
    let current = users::by_id(db, id).await?;
    let (mut read, password) = changes.check(&current, password_rules(tenant))?;
    if let Some(password) = password {
        read.password_hash = Some(
            app.hasher
                .hash(share(tenant, from.network()), &password)
                .await?,
        );
    }
    let own = member.session.as_ref().filter(|_| user.id == id);
    let renewal = own.filter(|_| read.password_hash.is_some()).map(|session| {
        let secret = Minted::new(&app.entropy, "tnt_ss_");
        read.renewed = Some(RenewedSession {
            old: session.digest,
            new: secret.digest,
        });
        renewed_cookie(&app, session, &secret)
    });
    let now = app.clock.now();
    let changed = changes::update(db, user, Role::Admin, id, &read, now).await?;
    let mut response = Json(changed).into_response();
    response
        .headers_mut()
        .extend(renewal.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

/// The cookie of a session that goes on, for the time that it had left.
fn renewed_cookie(app: &App, session: &Session, secret: &Minted) -> HeaderValue {
    let left = (session.expires_at - app.clock.now()).whole_seconds();
    let seconds = u32::try_from(left.max(0)).unwrap_or(u32::MAX);
    set_cookie(&app.addresses, &secret.secret, seconds)
}

/// Removes a user, with their sessions and tokens; what they wrote stays. For admins and owners.
#[utoipa::path(delete, path = "/tenants/users/{id}", tag = "tenant", params(("id" = UserId, Path, description = "The user's id")),
    security(("session" = ["admin"]), ("bearer" = ["admin"])), responses(
    (status = 204, description = "Removed"), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn delete(Admin(member): Admin, Id(id): Id<UserId>) -> Result<StatusCode, Error> {
    changes::delete(&member.db, &member.user, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a user a role. For owners.
#[utoipa::path(put, path = "/tenants/users/{id}/role", tag = "tenant", request_body = NewRole,
    params(("id" = UserId, Path, description = "The user's id")), security(("session" = ["owner"]), ("bearer" = ["admin"])), responses(
    (status = 200, body = User), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn put_role(
    State(app): State<App>,
    Owner(member): Owner,
    Id(id): Id<UserId>,
    Json(new): Json<NewRole>,
) -> Result<Json<User>, Error> {
    let mut faults = Faults::new();
    let Some(role) = role(new.role, &mut faults) else {
        return Err(faults.into());
    };
    let changes = Changes {
        role: Some(role),
        ..Changes::default()
    };
    let now = app.clock.now();
    let changed = changes::update(&member.db, &member.user, Role::Owner, id, &changes, now).await;
    changed.map(Json)
}

fn role(text: Text, faults: &mut Faults) -> Option<Role> {
    let text = text.required("role", faults)?;
    let role = Role::read(&text);
    if role.is_none() {
        faults.add("role", "must be owner, admin or user");
    }
    role
}
