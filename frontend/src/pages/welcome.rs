//! The page after a sign-up: where the tenant is, and the commands by which to go on.

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use crate::{site::Site, upstream::Registered, views::Frame, visitor::Visitor};

#[derive(Serialize)]
struct View<'a> {
    name: &'a str,
    slug: &'a str,
    plan: &'a str,
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

/// Shows a tenant that was just made.
pub(crate) fn show(site: &Site, visitor: &Visitor, made: &Registered) -> Response {
    let host = site.addresses.subdomain(&made.tenant.slug);
    let api_url = site.addresses.api_of(&host);
    let view = View {
        name: &made.tenant.name,
        slug: &made.tenant.slug,
        plan: &made.tenant.plan,
        username: &made.admin.username,
        pages_url: site.addresses.pages_of(&host),
        platform_api_url: site
            .addresses
            .api()
            .as_str()
            .trim_end_matches('/')
            .to_owned(),
        steps: steps(&api_url, &made.admin.username),
        api_url,
    };
    let frame = Frame::platform(format!("Welcome, {}", made.tenant.name));
    site.page(visitor, StatusCode::CREATED, "welcome", &frame, &view)
}

fn steps(api: &str, username: &str) -> Vec<Step> {
    let login = quoted(&format!(
        r#"{{"username": {}, "password": "YOUR_PASSWORD"}}"#,
        json!(username)
    ));
    let user = quoted(&format!("username={username}"));
    let client = r#"'{"client_name": "first client",
       "grant_types": ["password", "refresh_token"],
       "scope": "openid profile email read write"}'"#;
    let json = "-H 'Content-Type: application/json'";
    vec![
        Step {
            title: "Sign in",
            note: "The session is kept in cookies.txt.",
            command: format!("curl -c cookies.txt {api}/oauth/login \\\n  {json} \\\n  -d {login}"),
        },
        Step {
            title: "Register an OAuth client",
            note: "The answer holds its client_id and client_secret; the secret is shown once.",
            command: format!(
                "curl -b cookies.txt {api}/oauth/client/register \\\n  {json} \\\n  -d {client}"
            ),
        },
        Step {
            title: "Get a token",
            note: "The answer holds an access_token.",
            command: format!(
                "curl -u 'CLIENT_ID:CLIENT_SECRET' {api}/oauth/token \\\n  -d grant_type=password \
                 \\\n  --data-urlencode {user} \\\n  --data-urlencode 'password=YOUR_PASSWORD' \
                 \\\n  -d 'scope=openid profile email read write'"
            ),
        },
        Step {
            title: "Call a protected endpoint",
            note: "Without the token, it is refused.",
            command: format!("curl -H 'Authorization: Bearer ACCESS_TOKEN' {api}/api/protected"),
        },
    ]
}

/// A word that a shell takes as it stands: what people paste must not run what others named.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_does_not_end_the_word() {
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
