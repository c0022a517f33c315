//! Signing in and out at a tenant.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use service::{Kind, Query};

use crate::{
    form_token::Posted,
    form_view::FormView,
    return_to,
    site::Site,
    upstream::{Credentials, Info, PlaneError, SessionChange},
    views::Frame,
    visitor::{OnTenant, Visitor},
};

/// How one came to the sign-in page.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Arrival {
    return_to: String,
    after: String,
    username: String,
}

#[derive(Serialize)]
pub(super) struct View<'a> {
    form: FormView,
    tenant_name: &'a str,
    return_to: String,
    notice: Option<&'static str>,
    /// Where one may register, if one may.
    register_link: Option<String>,
}

/// Nothing but the proof that the form is ours.
#[derive(Deserialize)]
pub(crate) struct Empty {}

/// `GET /sign-in`: the form; whoever is signed in already goes on.
pub(crate) async fn show(
    State(site): State<Site>,
    OnTenant(visitor): OnTenant,
    Query(arrival): Query<Arrival>,
) -> Result<Response, PlaneError> {
    let info = site.upstream.data.info(&visitor).await?;
    let return_to = return_to::safe(&arrival.return_to);
    if info.member.is_some() {
        return Ok(Redirect::to(&return_to).into_response());
    }
    let notice = match arrival.after.as_str() {
        "registration" => Some("Your account has been created. Sign in to continue."),
        "sign-up" => Some("Your workspace is ready. Sign in to continue."),
        "sign-out" => Some("You have signed out."),
        _ => None,
    };
    let view = view(&info, form(&arrival.username), return_to, notice);
    Ok(page(&site, &visitor, StatusCode::OK, &view))
}

/// `POST /sign-in`: begins a session and goes on.
pub(crate) async fn sign_in(
    State(site): State<Site>,
    OnTenant(visitor): OnTenant,
    Posted(with): Posted<Credentials>,
) -> Result<Response, PlaneError> {
    let return_to = return_to::safe(&with.return_to);
    let refusal = match site.upstream.data.sign_in(&visitor, &with).await {
        Ok(session) => return Ok(moved(session, &return_to)),
        Err(refusal) if refusal.concerns_the_form() => refusal,
        Err(refusal) => return Err(refusal),
    };
    let form = if refusal.is(Kind::Unauthorized) {
        form(&with.username).alert("Incorrect username or password.")
    } else {
        form(&with.username).refused(&refusal)
    };
    let info = site.upstream.data.info(&visitor).await?;
    let view = view(&info, form, return_to, None);
    Ok(refusal.pass_patience(page(&site, &visitor, refusal.status, &view)))
}

/// `POST /sign-out`: ends the session. Without one there is nothing to end, and no fault. The
/// browser forgets the pages it kept for its Back button.
pub(crate) async fn sign_out(
    State(site): State<Site>,
    OnTenant(visitor): OnTenant,
    Posted(Empty {}): Posted<Empty>,
) -> Result<Response, PlaneError> {
    let ended = match site.upstream.data.sign_out(&visitor).await {
        Ok(ended) => ended,
        Err(refusal) if refusal.is(Kind::Unauthorized) => SessionChange(Vec::new()),
        Err(refusal) => return Err(refusal),
    };
    let mut response = moved(ended, "/sign-in?after=sign-out");
    response
        .headers_mut()
        .insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    Ok(response)
}

/// A redirect that sets or clears the session's cookies.
pub(super) fn moved(SessionChange(cookies): SessionChange, to: &str) -> Response {
    let mut response = Redirect::to(to).into_response();
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

pub(super) fn form(username: &str) -> FormView {
    FormView::default()
        .field("username", "Username or email", username)
        .field("password", "Password", "")
}

pub(super) fn view<'a>(
    info: &'a Info,
    form: FormView,
    return_to: String,
    notice: Option<&'static str>,
) -> View<'a> {
    let register_link = info
        .open()
        .then(|| return_to::by_way_of("/register", None, &return_to));
    View {
        form,
        tenant_name: &info.name,
        return_to,
        notice,
        register_link,
    }
}

pub(super) fn page(
    site: &Site,
    visitor: &Visitor,
    status: StatusCode,
    view: &View<'_>,
) -> Response {
    site.page(
        visitor,
        status,
        "sign_in",
        &Frame::tenant("Sign in", view.tenant_name),
        view,
    )
}
