//! The first page of a tenant that was just signed up: where it is, and the commands by which to go
//! on.
//!
//! Sign-up happens on the platform's host and its cookies stay there. A one-time code of the control
//! plane's comes along to the tenant's host and is exchanged for a session.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use service::{Kind, Query};
use url::form_urlencoded::Serializer;

use super::session::moved;
use crate::{
    site::Site,
    upstream::{Info, Member, PlaneError, Registered},
    views::Frame,
    visitor::{OnTenant, Visitor},
};

const PATH: &str = "/welcome";

/// How one came here.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Arrival {
    /// From a sign-up.
    code: Option<SecretString>,
}

#[derive(Serialize)]
struct View<'a> {
    name: &'a str,
    slug: &'a str,
    plan: Option<&'a str>,
    username: &'a str,
    pages_url: String,
    api_url: String,
    platform_api_url: String,
    steps: Vec<Step>,
}

/// One command, and what it does.
#[derive(Serialize)]
struct Step {
    title: &'static str,
    note: &'static str,
    command: String,
}

/// From the sign-up to the tenant's own host: signed in there, or without a code to its sign-in.
pub(super) fn lead_to(site: &Site, made: &Registered) -> Response {
    let host = site.addresses.subdomain(&made.tenant.slug);
    let pages = site.addresses.pages_of(&host);
    let mut query = Serializer::new(String::new());
    let page = match &made.sign_in_code {
        Some(code) => {
            query.append_pair("code", code.expose_secret());
            PATH
        }
        None => {
            query.append_pair("after", "sign-up");
            query.append_pair("username", &made.admin.username);
            query.append_pair("return_to", PATH);
            "/sign-in"
        }
    };
    Redirect::to(&format!("{pages}{page}?{}", query.finish())).into_response()
}

/// `GET /welcome`: uses the code if there is one, and shows how to start.
pub(crate) async fn show(
    State(site): State<Site>,
    OnTenant(visitor): OnTenant,
    Query(arrival): Query<Arrival>,
) -> Result<Response, PlaneError> {
    let sign_in = || Redirect::to("/sign-in?return_to=%2Fwelcome").into_response();
    if let Some(code) = &arrival.code {
        return match site.upstream.data.redeem(&visitor, code).await {
            Ok(session) => Ok(moved(session, PATH)),
            Err(refusal) if refusal.is(Kind::Unauthorized) => Ok(sign_in()),
            Err(refusal) => Err(refusal),
        };
    }
    let info = site.upstream.data.info(&visitor).await?;
    Ok(match &info.member {
        None => sign_in(),
        Some(member) if !member.administers() => Redirect::to("/").into_response(),
        Some(member) => page(&site, &visitor, &info, member),
    })
}

pub(super) fn page(site: &Site, visitor: &Visitor, info: &Info, member: &Member) -> Response {
    let addresses = &site.addresses;
    let host = visitor.tenant_host(info);
    let api_url = addresses.api_of(&host);
    let view = View {
        name: &info.name,
        slug: &info.slug,
        plan: info.plan.as_deref(),
        username: &member.username,
        pages_url: addresses.pages_of(&host),
        platform_api_url: addresses.api().as_str().trim_end_matches('/').to_owned(),
        steps: steps(&api_url, &member.username),
        api_url,
    };
    let frame = Frame::tenant("Get started", &info.name).signed_in();
    site.page(visitor, StatusCode::OK, "welcome", &frame, &view)
}

fn steps(api: &str, username: &str) -> Vec<Step> {
    let login = quoted(&format!(
        r#"{{"username": {}, "password": "YOUR_PASSWORD"}}"#,
        json!(username)
    ));
    let user = quoted(&format!("username={username}"));
    let client = r#"'{"client_name": "first client",
       "grant_types": ["password", "refresh_token"],
       "scope": "profile email read write"}'"#;
    let json = "-H 'Content-Type: application/json'";
    vec![
        Step {
            title: "Sign in",
            note: "Stores the session in cookies.txt.",
            command: format!("curl -c cookies.txt {api}/oauth/login \\\n  {json} \\\n  -d {login}"),
        },
        Step {
            title: "Register an OAuth client",
            note: "Returns client_id and client_secret. The secret is shown only once.",
            command: format!(
                "curl -b cookies.txt {api}/oauth/client/register \\\n  {json} \\\n  -d {client}"
            ),
        },
        Step {
            title: "Get a token",
            note: "Returns an access_token.",
            command: format!(
                "curl -u 'CLIENT_ID:CLIENT_SECRET' {api}/oauth/token \\\n  -d grant_type=password \
                 \\\n  --data-urlencode {user} \\\n  --data-urlencode 'password=YOUR_PASSWORD' \
                 \\\n  -d 'scope=profile email read write'"
            ),
        },
        Step {
            title: "Call a protected endpoint",
            note: "Without the token, the answer is 401.",
            command: format!("curl -H 'Authorization: Bearer ACCESS_TOKEN' {api}/api/protected"),
        },
    ]
}

/// One argument for a shell: what people paste must not run what others named.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_does_not_end_the_argument() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn commands_name_the_tenants_own_address() {
        let steps = steps("http://acme.localhost:8080", "owner");
        assert!(
            steps
                .iter()
                .all(|step| step.command.contains("http://acme.localhost:8080/"))
        );
    }
}
