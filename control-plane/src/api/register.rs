//! `POST /tenants/register`: a tenant signs up.

use axum::extract::{Extension, State};
use http::{HeaderMap, HeaderName};
use serde::Deserialize;
use service::{
    Json, JsonOrForm, Kind, Problem, Query, body::Created, password::Share, problem::ProblemBody,
    request::ClientAddr,
};
use utoipa::IntoParams;

use crate::{
    actor::Actor,
    app::ControlPlane,
    error::Error,
    settings::SignUps,
    signup::{Answer, Application, SignedUp, SlugAvailability},
};

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Makes a tenant, which serves at once.
#[utoipa::path(post, path = "/tenants/register", tag = "sign-up", request_body = Application,
    params(("Idempotency-Key" = Option<String>, Header,
        description = "Makes repeating safe: the same request gets the same answer for a day")),
    responses((status = 201, body = Answer), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn register(
    State(plane): State<ControlPlane>,
    Extension(from): Extension<ClientAddr>,
    headers: HeaderMap,
    JsonOrForm(application): JsonOrForm<Application>,
) -> Result<Created<SignedUp>, Error> {
    if plane.settings().signup == SignUps::Closed {
        let asked = plane.settings().signup_contact.as_deref();
        let detail = format!(
            "Sign-up is closed; ask {}.",
            asked.unwrap_or("the operator")
        );
        return Err(Problem::new(Kind::RegistrationClosed).detail(detail).into());
    }
    plane.sign_ups().check(&from.network())?;
    let key = key(&headers)?;
    let share = Share::sign_up(from.network());
    plane
        .sign_up(application, key.as_deref(), &Actor::Stranger, share)
        .await
        .map(Created)
}

/// Which slug to ask about.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// The slug in question.
    slug: String,
}

/// Whether a slug can be had.
#[utoipa::path(get, path = "/tenants/register", tag = "sign-up", params(Asked),
    responses((status = 200, body = SlugAvailability), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn slug_availability(
    State(plane): State<ControlPlane>,
    Query(asked): Query<Asked>,
) -> Result<Json<SlugAvailability>, Error> {
    plane.slug_availability(&asked.slug).await.map(Json)
}

/// The idempotency key: 1 to 255 visible ASCII characters.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(&IDEMPOTENCY_KEY).iter();
    let (Some(value), rest) = (values.next(), values.next()) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    let visible = text.bytes().all(|b| b.is_ascii_graphic());
    if rest.is_some() || !visible || !(1..=255).contains(&text.len()) {
        return Err(Problem::new(Kind::MalformedRequest)
            .detail("One Idempotency-Key of 1 to 255 visible ASCII characters."));
    }
    Ok(Some(text.to_owned()))
}
