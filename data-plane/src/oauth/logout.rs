//! `POST /oauth/logout`: a session ends.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header};
use serde::Serialize;
use service::{Digest, Json, problem::ProblemBody};
use tenancy::feed::ChangeNotice;
use utoipa::ToSchema;

use crate::{
    app::App,
    caller::{Member, Revoked, clear_cookie, secret_of},
    error::Error,
    store::sessions,
};

/// A word of farewell.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignedOut {
    message: &'static str,
}

/// Ends the session whose cookie is sent, and takes the cookie back.
#[utoipa::path(post, path = "/oauth/logout", tag = "accounts", security(("session" = [])),
    responses((status = 200, body = SignedOut), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn logout(
    State(app): State<App>,
    member: Member,
    headers: HeaderMap,
) -> Result<Response, Error> {
    if let Some(secret) = secret_of(&headers, &app.addresses) {
        let digest = Digest::of(&secret);
        sessions::end(&member.db, &digest).await?;
        let told = Revoked::Secret(digest).to_string();
        app.feed
            .publish(&ChangeNotice::Revoked(member.tenant.id, told));
    }
    let cookie = clear_cookie(&app.addresses);
    Ok((
        [(header::SET_COOKIE, cookie)],
        Json(SignedOut {
            message: "Signed out.",
        }),
    )
        .into_response())
}
