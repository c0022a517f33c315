//! `POST /oauth/login/code`: whoever has just signed a tenant up is signed in to it.
//!
//! Sign-up happens on the platform's host, and no cookie crosses from there to the tenant's. The
//! control plane makes the code together with the owner; it is good once, for a minute, and only at
//! that tenant.

use axum::{
    extract::{Extension, State},
    response::{AppendHeaders, IntoResponse, Response},
};
use http::{header, request::Parts};
use serde::Deserialize;
use service::{
    Digest, Faults, Json, JsonOrForm, Kind, Minted, Problem, body::Text, origin,
    problem::ProblemBody, request::ClientAddr,
};
use time::Duration;
use utoipa::ToSchema;

use super::login::{SignedIn, remember, user_agent};
use crate::{
    app::App,
    caller::{Device, set_cookie},
    error::Error,
    resolve::{InTenant, host_of},
    store::sign_in_codes::{self, NewSession},
};

/// A one-time code.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!(
    {"code": "tnt_sc_SECRET"}
))]
pub(crate) struct SignInCode {
    /// `sign_in_code` of the answer to a sign-up.
    #[serde(default)]
    #[schema(value_type = String, format = Password)]
    code: Text,
}

/// Exchanges the code of a sign-up for a session and sets its cookie.
#[utoipa::path(post, path = "/oauth/login/code", tag = "accounts", request_body = SignInCode,
    responses((status = 200, body = SignedIn), (status = 401, body = ProblemBody),
    (status = "4XX", body = ProblemBody)))]
pub(crate) async fn redeem(
    State(app): State<App>,
    Extension(from): Extension<ClientAddr>,
    InTenant { tenant, db }: InTenant,
    parts: Parts,
    JsonOrForm(form): JsonOrForm<SignInCode>,
) -> Result<Response, Error> {
    // A foreign page must not sign its visitor in as somebody else.
    origin::require_same_host(&parts.headers, host_of(&parts)?.unwrap_or_default())?;
    let mut faults = Faults::new();
    let Some(code) = form.code.required("code", &mut faults) else {
        return Err(faults.into());
    };
    let minted = Minted::new(&app.entropy, "tnt_ss_");
    let seconds = tenant.settings.session_policy.lifetime_seconds;
    let now = app.clock.now();
    let user_agent = user_agent(&parts.headers);
    let session = NewSession {
        digest: minted.digest,
        now,
        expires_at: now + Duration::seconds(seconds.into()),
        user_agent: user_agent.as_deref(),
        address: from.0.to_string(),
    };
    let holder = sign_in_codes::redeem(&db, &Digest::of_sign_in_code(&code), &session)
        .await?
        .ok_or_else(refused)?;
    let device = Device::of(&parts.headers, &app.addresses);
    let device = remember(&app, &db, holder.id, device).await?;
    let cookies = AppendHeaders([
        (
            header::SET_COOKIE,
            set_cookie(&app.addresses, &minted.secret, seconds),
        ),
        (header::SET_COOKIE, device.cookie(&app.addresses)),
    ]);
    let body = SignedIn {
        message: "Signed in.",
        user_id: holder.id,
        username: holder.username,
        tenant_slug: tenant.slug.clone(),
        role: holder.role,
    };
    Ok((cookies, Json(body)).into_response())
}

fn refused() -> Problem {
    Problem::new(Kind::Unauthorized).detail("The code is wrong, expired or already used.")
}
