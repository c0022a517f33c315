//! The pages: sign-up on the platform's own host, sign-in and account on each tenant's.
//!
//! Everything shown comes from the planes over HTTP, asked with the visitor's own host and
//! session: this crate has no database, decides no permission and keeps no state between
//! requests. It refuses to do without a proof that a posted form is one of its own
//! (`form_token`), and to send a browser to another host (`return_to`).
//!
//! Templates, style sheet and scripts are compiled in; every page works without scripts.

mod assets;
mod description;
mod error_page;
mod form_token;
mod form_view;
mod pages;
mod return_to;
mod router;
mod security;
mod settings;
mod site;
mod upstream;
mod views;
mod visitor;

pub use router::{Pages, app, paths};
pub use settings::Settings;

/// Why the pages cannot be served at all.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A template that was compiled in does not parse.
    #[error("a page template does not parse: {0}")]
    Template(#[from] Box<handlebars::TemplateError>),
    /// The HTTP client cannot be set up.
    #[error("no HTTP client for the planes: {0}")]
    Client(#[from] reqwest::Error),
}
