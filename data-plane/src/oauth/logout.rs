//! `POST /oauth/logout`: a session ends.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use serde::Serialize;
use service::{Json, problem::ProblemBody};
use utoipa::ToSchema;

use crate::{
    app::App,
    caller::{Member, clear_cookie},
    error::Error,
    store::sessions,
};

/// A word of farewell.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"message": "Signed out."}))]
pub(crate) struct SignedOut {
    message: &'static str,
}

/// Ends the session whose cookie is sent, and takes the cookie back.
#[utoipa::path(post, path = "/oauth/logout", tag = "accounts", security(("session" = [])),
    responses((status = 200, body = SignedOut), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn logout(State(app): State<App>, member: Member) -> Result<Response, Error> {
    if let Some(session) = &member.session {
        sessions::end(&member.db, &session.digest).await?;
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
