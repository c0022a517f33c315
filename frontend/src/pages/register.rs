//! Making an account at a tenant that lets everyone do so.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use service::{Kind, Problem, Query};

use super::session::moved;
use crate::{
    form_token::Posted,
    form_view::FormView,
    return_to,
    site::Site,
    upstream::{Credentials, NewUser, PlaneError},
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

/// `POST /register`: makes the account, signs in to it and goes on.
pub(crate) async fn submit(
    State(site): State<Site>,
    OnTenant(visitor): OnTenant,
    Posted(new): Posted<NewUser>,
) -> Result<Response, PlaneError> {
    let refusal = match site.upstream.data.register(&visitor, &new).await {
        Ok(()) => return Ok(signed_in(&site, &visitor, new).await),
        Err(refusal) if refusal.concerns_the_form() => refusal,
        Err(refusal) => return Err(refusal),
    };
    let info = site.upstream.data.info(&visitor).await?;
    let form = form(&new).refused(&refusal);
    let page = page(&site, &visitor, refusal.status, &info.name, form, &new);
    Ok(refusal.pass_patience(page))
}

/// Signs in to the account that was just made; where that does not work, the sign-in page is next.
async fn signed_in(site: &Site, visitor: &Visitor, new: NewUser) -> Response {
    let to = return_to::safe(&new.return_to);
    let with = Credentials {
        username: new.username,
        password: new.password,
        return_to: new.return_to,
    };
    match site.upstream.data.sign_in(visitor, &with).await {
        Ok(session) => moved(session, &to),
        Err(refusal) => {
            tracing::warn!(?refusal, "registered, but not signed in");
            let after = Some("registration");
            let sign_in = return_to::by_way_of("/sign-in", after, &with.return_to);
            Redirect::to(&sign_in).into_response()
        }
    }
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
        &Frame::tenant("Create an account", tenant_name),
        &view,
    )
}
