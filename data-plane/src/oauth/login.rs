//! `POST /oauth/login`: a session begins.

use axum::{
    extract::{Extension, State},
    response::{AppendHeaders, IntoResponse, Response},
};
use http::{HeaderMap, header, request::Parts};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use service::{
    Faults, Json, JsonOrForm, Kind, Minted, Problem, body::Text, email, origin,
    problem::ProblemBody, request::ClientAddr,
};
use tenancy::{Slug, TenantDb};
use time::Duration;
use utoipa::ToSchema;

use crate::{
    app::App,
    attempts::{Attempt, Source},
    caller::{Device, set_cookie},
    error::Error,
    ids::UserId,
    rates::share,
    resolve::{InTenant, host_of},
    store::{
        authorizations::Holder,
        devices,
        sessions::{self, NewSession},
        users::{self, Role, User},
    },
};

/// One sign-in in this many sweeps away the sessions that are over.
const SWEEP_ONE_IN: u8 = 64;

/// What someone signs in with.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"username": "ada", "password": "correct horse battery"}))]
pub(crate) struct Credentials {
    /// Username or email.
    #[serde(default)]
    #[schema(value_type = String)]
    username: Text,
    #[serde(default)]
    #[schema(value_type = String, format = Password)]
    password: Text,
}

/// Who signed in, and where.
#[derive(Serialize, ToSchema)]
#[schema(example = json!(
    {"message": "Signed in.", "user_id": "0197c5a0-7e1c-7cc3-98c4-dc0c0c07398f",
    "username": "ada", "tenant_slug": "acme", "role": "user"}
))]
pub(crate) struct SignedIn {
    pub(super) message: &'static str,
    pub(super) user_id: UserId,
    pub(super) username: String,
    #[schema(value_type = String)]
    pub(super) tenant_slug: Slug,
    pub(super) role: Role,
}

/// Begins a session and sets its cookie. Unknown users and wrong passwords get the same answer
/// after the same time.
#[utoipa::path(post, path = "/oauth/login", tag = "accounts", request_body = Credentials,
    responses((status = 200, body = SignedIn), (status = 401, body = ProblemBody), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn login(
    State(app): State<App>,
    Extension(from): Extension<ClientAddr>,
    InTenant { tenant, db }: InTenant,
    parts: Parts,
    JsonOrForm(form): JsonOrForm<Credentials>,
) -> Result<Response, Error> {
    // A foreign page must not sign its visitor in as somebody else.
    origin::require_same_host(&parts.headers, host_of(&parts)?.unwrap_or_default())?;
    let mut faults = Faults::new();
    let name = form.username.required("username", &mut faults);
    let password = form
        .password
        .required("password", &mut faults)
        .map(SecretString::from);
    let (Some(name), Some(password)) = (name, password) else {
        return Err(faults.into());
    };
    app.rates.login(tenant.id, &name, from.network())?;
    let device = Device::of(&parts.headers, &app.addresses);
    let source = Source::Device(from.network(), device.as_ref().map(|device| device.id));
    let Checked { user, holder } = check(&app, &db, source, &name, &password)
        .await?
        .ok_or_else(refused)?;

    let minted = Minted::new(&app.entropy, "tnt_ss_");
    let now = app.clock.now();
    let seconds = tenant.settings.session_policy.lifetime_seconds;
    let user_agent = user_agent(&parts.headers);
    let session = NewSession {
        id: app.entropy.id(&app.clock),
        digest: minted.digest,
        user: holder.user,
        credentials_version: holder.credentials_version,
        now,
        expires_at: now + Duration::seconds(seconds.into()),
        user_agent: user_agent.as_deref(),
        address: from.0.to_string(),
    };
    if !sessions::begin(&db, &session).await? {
        return Err(refused().into());
    }
    if app.entropy.bytes::<1>()[0].is_multiple_of(SWEEP_ONE_IN) {
        sessions::sweep(&db, now).await?;
    }
    let device = remember(&app, &db, user.id, device).await?;
    let cookies = AppendHeaders([
        (
            header::SET_COOKIE,
            set_cookie(&app.addresses, &minted.secret, seconds),
        ),
        (header::SET_COOKIE, device.cookie(&app.addresses)),
    ]);
    let body = SignedIn {
        message: "Signed in.",
        user_id: user.id,
        username: user.username,
        tenant_slug: tenant.slug.clone(),
        role: user.role,
    };
    Ok((cookies, Json(body)).into_response())
}

/// A user whose password was checked, and the version of their credentials that it was.
pub(super) struct Checked {
    pub(super) user: User,
    pub(super) holder: Holder,
}

/// The active user of these credentials. Takes the time of one hash, whoever asks.
///
/// # Errors
/// 429 where too many attempts have failed before; those of the database and of hashing.
pub(super) async fn check(
    app: &App,
    db: &TenantDb,
    source: Source<'_>,
    name: &str,
    password: &SecretString,
) -> Result<Option<Checked>, Error> {
    let name = &*email::login(name);
    let share = share(db.tenant(), source.network());
    app.hasher.room(share)?;
    let found = users::by_login(db, name).await?;
    let user = found.as_ref().map(|found| found.user.id);
    let attempt = Attempt::begin(app, db, source, name, user).await?;
    let hash = found.as_ref().map(|found| found.password_hash.as_str());
    let matches = match app.hasher.verify(share, password, hash).await {
        Ok(matches) => matches,
        Err(unchecked) => {
            attempt.forgiven(db).await?;
            return Err(unchecked.into());
        }
    };
    let found = found.filter(|found| matches && found.user.is_active);
    if found.is_some() {
        attempt.forgiven(db).await?;
    }
    Ok(found.map(|found| Checked {
        holder: Holder {
            user: found.user.id,
            credentials_version: found.credentials_version,
            auth_time: app.clock.now(),
        },
        user: found.user,
    }))
}

/// The device that has signed in now: known before, or known from now on.
pub(super) async fn remember(
    app: &App,
    db: &TenantDb,
    user: UserId,
    presented: Option<Device>,
) -> Result<Device, Error> {
    let now = app.clock.now();
    if let Some(device) = presented
        && devices::returned(db, user, device.id, now).await?
    {
        return Ok(device);
    }
    let device = Device::new(&app.entropy);
    devices::remember(db, user, device.id, now).await?;
    Ok(device)
}

/// What the browser calls itself, for the list of sessions; cut, since it is anybody's text.
pub(super) fn user_agent(headers: &HeaderMap) -> Option<String> {
    let text = service::header::text(headers, &header::USER_AGENT)?;
    Some(text.chars().take(256).collect())
}

fn refused() -> Problem {
    Problem::new(Kind::Unauthorized).detail("Incorrect username or password.")
}
