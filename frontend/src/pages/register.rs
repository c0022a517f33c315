//! Making an account at a tenant that lets everyone do so.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use service::{Kind, Problem, Query};

use crate::{
    form_token::Posted,
    form_view::FormView,
    return_to,
    site::Site,
    upstream::{NewUser, PlaneError},
    views::Frame,
    visitor::{OnTenant, Visitor},
};

/// Where to go after signing in.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Arrival {
    return_to: String,
}

#[derive(Serialize)]
struct View<'a> {
    form: FormView,
    tenant_name: &'a str,
    return_to: String,
    sign_in_link: String,
}

/// `GET /register`: the form, where registration is open.
pub(crate) async fn show(
    State(site): State<Site>,
    OnTenant(visitor): OnTenant,
    Query(arrival): Query<Arrival>,
) -> Result<Response, PlaneError> {
    let info = site.upstream.data.info(&visitor).await?;
    if !info.open() {
        return Ok(Problem::new(Kind::RegistrationClosed).into_response());
    }
    let new = NewUser {
        return_to: arrival.return_to,
        ..NewUser::default()
    };
    Ok(page(
        &site,
        &visitor,
        StatusCode::OK,
        &info.name,
        form(&new),
        &new,
    ))
}

/// `POST /register`: makes the account and goes on to the sign-in page.
pub(crate) async fn submit(
    State(site): State<Site>,
    OnTenant(visitor): OnTenant,
    Posted(new): Posted<NewUser>,
) -> Result<Response, PlaneError> {
    let refusal = match site.upstream.data.register(&visitor, &new).await {
        Ok(()) => {
            let sign_in = return_to::by_way_of("/sign-in", Some("registration"), &new.return_to);
            return Ok(Redirect::to(&sign_in).into_response());
        }
        Err(refusal) if refusal.concerns_the_form() => refusal,
        Err(refusal) => return Err(refusal),
    };
    let info = site.upstream.data.info(&visitor).await?;
    let form = form(&new).refused(&refusal);
    let page = page(&site, &visitor, refusal.status, &info.name, form, &new);
    Ok(refusal.pass_patience(page))
}

pub(super) fn form(new: &NewUser) -> FormView {
    FormView::default()
        .field("username", "Username", &new.username)
        .field("email", "Email", &new.email)
        .field("password", "Password", "")
}

pub(super) fn page(
    site: &Site,
    visitor: &Visitor,
    status: StatusCode,
    tenant_name: &str,
    form: FormView,
    new: &NewUser,
) -> Response {
    let view = View {
        form,
        tenant_name,
        return_to: return_to::safe(&new.return_to),
        sign_in_link: return_to::by_way_of("/sign-in", None, &new.return_to),
    };
    site.page(
        visitor,
        status,
        "register",
        &Frame::tenant("Register", tenant_name),
        &view,
    )
}
