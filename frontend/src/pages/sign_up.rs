//! The front page with the sign-up form, its submission, and whether a slug is available.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use service::{Json, Kind, Query};

use super::{
    plans::{self, ClosedView, PlanView},
    welcome,
};
use crate::{
    form_token::Posted,
    form_view::{FormView, sentence},
    security,
    site::Site,
    upstream::{NewTenant, Offer, PlaneError},
    views::Frame,
    visitor::{OnPlatform, Visitor},
};

#[derive(Serialize)]
struct View {
    /// In place of the form, while sign-up is closed.
    closed: Option<ClosedView>,
    form: FormView,
    /// Empty while nobody knows which there are: then the plane chooses.
    plans: Vec<PlanView>,
    idempotency_key: String,
    /// What follows the slug in the tenant's host name.
    url_suffix: String,
}

/// What the script asks while someone types.
#[derive(Deserialize)]
pub(crate) struct Wish {
    slug: String,
}

/// The front page, its form empty.
pub(crate) async fn show(site: &Site, visitor: &Visitor) -> Response {
    let new = NewTenant {
        idempotency_key: fresh_key(site),
        ..NewTenant::default()
    };
    let offer = plans::offer(site, visitor).await;
    landing(
        site,
        visitor,
        StatusCode::OK,
        form(&new),
        new,
        offer.as_ref(),
    )
}

/// `POST /signup`: makes the tenant and leads to it, or says what stands in the way.
pub(crate) async fn submit(
    State(site): State<Site>,
    OnPlatform(visitor): OnPlatform,
    Posted(mut new): Posted<NewTenant>,
) -> Result<Response, PlaneError> {
    new.tenant_slug = as_slug(&new.tenant_slug);
    let refusal = match site.upstream.control.sign_up(&visitor, &new).await {
        Ok(made) => return Ok(welcome::lead_to(&site, &made)),
        Err(refusal) => refusal,
    };
    let view = if refusal.is(Kind::Unavailable) {
        // Whether it was done is not known: the same key makes another try the same sign-up.
        form(&new).alert(
            "The service is not responding. Enter the same password and try again in a moment; \
             you will not be signed up twice.",
        )
    } else if refusal.is(Kind::Conflict) && refusal.errors.is_empty() {
        let mut view = form(&new);
        view.fault(
            "tenant_slug",
            refusal.detail.as_deref().unwrap_or("is taken"),
        );
        view
    } else if refusal.concerns_the_form() {
        form(&new).refused(&refusal)
    } else {
        return Err(refusal);
    };
    if !refusal.is(Kind::Unavailable) {
        new.idempotency_key = fresh_key(&site);
    }
    let offer = plans::offer(&site, &visitor).await;
    let page = landing(&site, &visitor, refusal.status, view, new, offer.as_ref());
    Ok(refusal.pass_patience(page))
}

/// `GET /signup/slug`: whether a slug can be had.
pub(crate) async fn slug_availability(
    State(site): State<Site>,
    OnPlatform(visitor): OnPlatform,
    Query(wish): Query<Wish>,
) -> Result<Response, PlaneError> {
    let mut availability = site
        .upstream
        .control
        .slug_availability(&visitor, &as_slug(&wish.slug))
        .await?;
    availability.reason = availability
        .reason
        .map(|reason| sentence("This URL", &reason));
    Ok(Json(availability).into_response())
}

pub(super) fn landing(
    site: &Site,
    visitor: &Visitor,
    status: StatusCode,
    form: FormView,
    new: NewTenant,
    offer: Option<&Offer>,
) -> Response {
    let view = View {
        closed: plans::closed(offer),
        form,
        plans: plans::choices(offer, &new.plan),
        idempotency_key: new.idempotency_key,
        url_suffix: format!(".{}", site.addresses.base_domain),
    };
    let frame = Frame::platform("Tenantry");
    let mut page = site.page(visitor, status, "landing", &frame, &view);
    if let Some(policy) = security::sign_up_policy(&site.addresses) {
        page.headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    page
}

pub(super) fn form(new: &NewTenant) -> FormView {
    FormView::default()
        .field("tenant_name", "Workspace name", &new.tenant_name)
        .field("tenant_slug", "Workspace URL", &new.tenant_slug)
        .field("admin_username", "Username", &new.admin_username)
        .field("admin_email", "Email", &new.admin_email)
        .field("admin_password", "Password", "")
        .field("plan", "Plan", &new.plan)
}

/// What people type for a slug, as the form sends it on: case and surrounding space mean nothing in
/// a host name. The same for the question and the sign-up, so that they get the same answer.
fn as_slug(typed: &str) -> String {
    typed.trim().to_ascii_lowercase()
}

fn fresh_key(site: &Site) -> String {
    URL_SAFE_NO_PAD.encode(site.entropy.bytes::<16>())
}
