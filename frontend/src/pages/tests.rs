//! Every page is made once with and once without what it may lack. Views fail on a template that
//! asks for more than it is given, so what is looked for here is little.

use axum::{body::to_bytes, extract::FromRequestParts, response::Response};
use http::{Request, header};
use serde_json::{Value, json};
use service::{
    Entropy,
    settings::{Addresses, Network},
};

use super::{account, register, session, sign_up, welcome};
use crate::{
    Settings,
    site::Site,
    upstream::{Info, NewTenant, NewUser, Offer, PlaneError, Stats},
    visitor::Visitor,
};

/// A site whose planes nobody asks.
fn site() -> Site {
    let settings = Settings::behind("http://127.0.0.1:9".parse().unwrap());
    let addresses = Addresses::default().with_ports(9080, 9000, false);
    Site::new(
        &settings,
        &addresses,
        &Network::default(),
        &Entropy::seeded(1),
    )
    .unwrap()
}

async fn visitor(site: &Site, host: &str) -> Visitor {
    let request = Request::builder()
        .header(header::HOST, host)
        .body(())
        .unwrap();
    Visitor::from_request_parts(&mut request.into_parts().0, site)
        .await
        .unwrap()
}

async fn text(response: Response) -> String {
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert!(
        text.starts_with("<!doctype html>") && text.ends_with("</html>\n"),
        "{text}"
    );
    text
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

async fn front_page(offer: Option<Value>) -> String {
    let site = site();
    let visitor = visitor(&site, "localhost:9000").await;
    let new = NewTenant {
        plan: "basic".to_owned(),
        ..NewTenant::default()
    };
    let (form, status) = (sign_up::form(&new), http::StatusCode::OK);
    let offer: Option<Offer> = offer.map(read);
    text(sign_up::landing(
        &site,
        &visitor,
        status,
        form,
        new,
        offer.as_ref(),
    ))
    .await
}

#[tokio::test]
async fn the_front_page_offers_the_registrys_plans() {
    let page = front_page(Some(json!({ "signup": "open", "contact": null, "plans": [
        { "name": "small", "title": "Small <1>", "max_users": 3, "max_notes": 7 },
        { "name": "large", "title": "Large", "max_users": null },
    ] })))
    .await;
    assert_eq!(page.matches("name=\"plan\"").count(), 2);
    assert!(page.contains("value=\"small\" required checked"));
    assert!(page.contains("Small &lt;1&gt;") && page.contains("3 users"));
    assert!(page.contains("Unlimited users") && page.contains(">.localhost</span>"));
}

/// What was chosen before is sent again, so that a repeated form is the same sign-up.
#[tokio::test]
async fn the_front_page_offers_no_plans_that_it_does_not_know() {
    let page = front_page(None).await;
    assert!(page.contains("action=\"/signup\"") && !page.contains("type=\"radio\""));
    assert!(page.contains("type=\"hidden\" name=\"plan\" value=\"basic\""));
}

#[tokio::test]
async fn the_front_page_shows_no_form_while_sign_up_is_closed() {
    for (contact, said) in [
        (json!("ops@example.com"), "href=\"mailto:ops@example.com\""),
        (json!("the <help> desk"), "contact the &lt;help&gt; desk."),
        (Value::Null, "the operator of this service"),
    ] {
        let offer = json!({ "signup": "closed", "contact": contact, "plans": [] });
        let page = front_page(Some(offer)).await;
        assert!(!page.contains("action=\"/signup\""), "{page}");
        assert!(
            page.contains("Sign-up is closed") && page.contains(said),
            "{page}"
        );
    }
}

#[tokio::test]
async fn the_front_page_puts_faults_at_their_fields() {
    let site = site();
    let new = read(json!({ "tenant_slug": "a\"><script>", "admin_password": "never shown" }));
    let mut form = sign_up::form(&new);
    for (field, fault) in [
        ("tenant_slug", "is taken"),
        ("plan", "is unknown"),
        ("x", "is odd"),
    ] {
        form.fault(field, fault);
    }
    let visitor = visitor(&site, "localhost:9000").await;
    let status = http::StatusCode::UNPROCESSABLE_ENTITY;
    let plans = json!([{ "name": "free", "title": "Free", "max_users": 10 }]);
    let offer: Option<Offer> = read(json!({ "signup": "open", "plans": plans }));
    let page = text(sign_up::landing(
        &site,
        &visitor,
        status,
        form,
        new,
        offer.as_ref(),
    ))
    .await;
    assert!(page.contains("<a href=\"#tenant_slug\">Workspace URL is taken.</a>"));
    assert!(page.contains("aria-describedby=\"tenant_slug-hint tenant_slug-fault "));
    assert!(page.contains("id=\"plan-fault\""));
    assert!(page.contains("<li>x is odd.</li>"));
    assert!(!page.contains("<script>") && !page.contains("never shown"));
}

#[tokio::test]
async fn the_first_page_names_this_tenants_urls() {
    let site = site();
    let info: Info = read(json!({
        "slug": "acme", "name": "Acme", "plan": "free",
        "member": { "username": "ada", "role": "owner" },
    }));
    let visitor = visitor(&site, "acme.localhost:9000").await;
    let member = info.member.as_ref().unwrap();
    let page = text(welcome::page(&site, &visitor, &info, member)).await;
    assert!(page.contains("http://acme.localhost:9000"));
    assert!(page.contains("http://acme.localhost:9080/oauth/login"));
    assert!(!page.contains(":8080") && !page.contains(":8000"));
}

#[tokio::test]
async fn a_sign_up_leads_to_the_tenants_host_with_its_code_or_to_sign_in_without() {
    let site = site();
    for (code, location) in [
        (json!("tnt_sc_x"), "/welcome?code=tnt_sc_x"),
        (
            json!(null),
            "/sign-in?after=sign-up&username=ada&return_to=%2Fwelcome",
        ),
    ] {
        let made = read(json!({
            "tenant": { "slug": "acme" }, "admin": { "username": "ada" }, "sign_in_code": code,
        }));
        let answer = welcome::lead_to(&site, &made);
        let expected = format!("http://acme.localhost:9000{location}");
        assert_eq!(answer.headers()[header::LOCATION], expected);
    }
}

#[tokio::test]
async fn the_sign_in_page_offers_to_register_only_where_one_may() {
    let site = site();
    let visitor = visitor(&site, "acme.localhost:9000").await;
    for registration in ["open", "closed"] {
        let info = json!({ "slug": "acme", "name": "Acme", "registration": registration });
        let info = read(info);
        let view = session::view(&info, session::form("ada"), "/a".into(), None);
        let page = text(session::page(&site, &visitor, http::StatusCode::OK, &view)).await;
        assert!(page.contains("Sign in to Acme") && page.contains("value=\"ada\""));
        let offered = page.contains("href=\"/register?return_to");
        assert_eq!(offered, registration == "open");
    }
}

#[tokio::test]
async fn a_refused_registration_keeps_what_was_entered() {
    let site = site();
    let visitor = visitor(&site, "acme.localhost:9000").await;
    let new = NewUser {
        username: "ada".into(),
        password: "never shown".into(),
        ..NewUser::default()
    };
    let body = json!({ "type": "/problems/conflict", "errors": { "username": ["is taken"] } });
    let status = http::StatusCode::CONFLICT;
    let refusal = PlaneError::read(status, &http::HeaderMap::new(), body.to_string().as_bytes());
    let form = register::form(&new).refused(&refusal);
    let page = text(register::page(&site, &visitor, status, "Acme", form, &new)).await;
    assert!(page.contains("Join Acme") && page.contains("value=\"ada\""));
    assert!(page.contains("<a href=\"#username\">Username is taken.</a>"));
    assert!(!page.contains("never shown"));
}

#[tokio::test]
async fn the_account_page_shows_figures_to_administrators_alone() {
    let site = site();
    let visitor = visitor(&site, "acme.localhost:9000").await;
    for role in ["owner", "user"] {
        let info: Info = read(json!({
            "slug": "acme", "name": "Acme", "plan": "free", "created_at": "2031-03-05T10:00:00Z",
            "member": { "username": "ada", "email": "ada@acme.example", "role": role },
        }));
        let stats: Stats = read(json!({ "total_users": 3, "max_users": 10, "active_tokens": 7 }));
        let administers = info.member.as_ref().unwrap().administers();
        let figures = administers.then(|| stats.into());
        let page = text(account::page(&site, &visitor, info, figures).unwrap()).await;
        assert!(page.contains("<strong>ada</strong>") && page.contains("5 March 2031"));
        assert!(page.contains("action=\"/sign-out\""));
        assert_eq!(page.contains("of 10 (7 left)"), role == "owner");
    }
}
