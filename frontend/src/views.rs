//! Turns a view, a plain struct, into a page.
//!
//! Handlebars escapes every value that a template shows, and no template asks it not to. A
//! template that asks for what its view does not have fails (strict mode), so a test of each
//! page finds it.

use axum::response::{Html, IntoResponse, Response};
use handlebars::Handlebars;
use http::{StatusCode, header};
use serde::Serialize;
use service::Problem;

use crate::{StartError, assets::Links, site::Site, visitor::Visitor};

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        const TEMPLATES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../templates/", $name, ".hbs")))),*];
    };
}

templates![
    "account", "brand", "choice", "error", "faults", "field", "landing", "layout", "register",
    "sign_in", "token", "welcome",
];

/// All templates, parsed.
pub(crate) struct Views {
    handlebars: Handlebars<'static>,
    links: Links,
}

/// What surrounds a page's content.
#[derive(Serialize)]
pub(crate) struct Frame {
    /// The page's name in the browser's title bar.
    pub(crate) title: String,
    /// The tenant whose page it is, if it is one's.
    pub(crate) tenant: Option<Nameplate>,
    /// Whether to offer signing out.
    pub(crate) signed_in: bool,
    /// Where the name at the top leads.
    pub(crate) home: String,
}

/// A tenant's name, and the letter that stands for it.
#[derive(Clone, Serialize)]
pub(crate) struct Nameplate {
    name: String,
    initial: String,
}

impl Nameplate {
    pub(crate) fn new(name: &str) -> Self {
        let initial = name.chars().find(|c| c.is_alphanumeric());
        let initial = initial.map_or_else(|| "·".to_owned(), |c| c.to_uppercase().to_string());
        Self {
            name: name.to_owned(),
            initial,
        }
    }
}

impl Frame {
    /// A page of the platform's own.
    pub(crate) fn platform(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            tenant: None,
            signed_in: false,
            home: "/".to_owned(),
        }
    }

    /// A page of a tenant.
    pub(crate) fn tenant(title: &str, tenant: &str) -> Self {
        Self {
            tenant: Some(Nameplate::new(tenant)),
            ..Self::platform(format!("{title} · {tenant}"))
        }
    }

    /// The same, its name leading elsewhere than to the host's own front page.
    pub(crate) fn leading_to(self, home: &str) -> Self {
        Self {
            home: home.to_owned(),
            ..self
        }
    }

    /// The same, offering to sign out.
    pub(crate) fn signed_in(self) -> Self {
        Self {
            signed_in: true,
            ..self
        }
    }
}

#[derive(Serialize)]
struct Sheet<'a, V> {
    frame: &'a Frame,
    links: &'a Links,
    form_token: &'a str,
    #[serde(flatten)]
    view: &'a V,
}

impl Views {
    pub(crate) fn new() -> Result<Self, StartError> {
        let mut handlebars = Handlebars::new();
        handlebars.set_strict_mode(true);
        for (name, text) in TEMPLATES {
            handlebars
                .register_template_string(name, text)
                .map_err(Box::new)?;
        }
        Ok(Self {
            handlebars,
            links: Links::new(),
        })
    }

    /// A page without forms.
    pub(crate) fn plain(
        &self,
        template: &str,
        frame: &Frame,
        view: &impl Serialize,
    ) -> Result<Html<String>, Problem> {
        self.render(template, frame, "", view)
    }

    fn render(
        &self,
        template: &str,
        frame: &Frame,
        form_token: &str,
        view: &impl Serialize,
    ) -> Result<Html<String>, Problem> {
        let sheet = Sheet {
            frame,
            links: &self.links,
            form_token,
            view,
        };
        self.handlebars
            .render(template, &sheet)
            .map(Html)
            .map_err(|cause| Problem::internal(&cause))
    }
}

impl Site {
    /// A page for a visitor, whose forms it can post.
    pub(crate) fn page(
        &self,
        visitor: &Visitor,
        status: StatusCode,
        template: &str,
        frame: &Frame,
        view: &impl Serialize,
    ) -> Response {
        let page = self
            .views
            .render(template, frame, &visitor.form_token.field(), view);
        let mut response = (status, page).into_response();
        if let Some(cookie) = visitor.form_token.set_cookie(self) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_template_shows_a_value_unescaped() {
        for (name, text) in TEMPLATES {
            assert!(!text.contains("{{{") && !text.contains("{{&"), "{name}");
        }
    }

    #[test]
    fn a_name_without_letters_has_an_initial_all_the_same() {
        assert_eq!(Nameplate::new("  élan").initial, "É");
        assert_eq!(Nameplate::new("—").initial, "·");
    }
}
