//! How an id is made that is somebody's: the only thing of a resource that the matrix is told.

use std::{collections::HashMap, pin::Pin};

use super::operation::{Parameter, Place};
use crate::{Client, TestApp, app::Tenant};

/// Where an id is to be made.
#[derive(Clone, Copy)]
pub struct Home<'a> {
    /// The application.
    pub app: &'a TestApp,
    /// The tenant's slug.
    pub slug: &'a str,
}

impl<'a> Home<'a> {
    /// The tenant.
    #[must_use]
    pub fn tenant(self) -> Tenant<'a> {
        self.app.tenant(self.slug)
    }

    /// A name that nobody else has, in any tenant.
    #[must_use]
    pub fn unique(self, prefix: &str) -> String {
        let id = service::Entropy::system().unwrap().bytes::<6>();
        let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{prefix}{hex}")
    }

    /// The tenant's owner, with a session.
    pub async fn owner(self) -> Client {
        self.tenant().owner().await
    }
}

type Made<'a> = Pin<Box<dyn Future<Output = String> + 'a>>;

/// Makes something of a tenant and answers its id.
pub type Make = for<'a> fn(Home<'a>) -> Made<'a>;

/// What a parameter holds.
#[derive(Clone, Copy)]
pub(super) enum Holds {
    /// No id.
    Text,
    /// Where a page of the same list ended; the maker adds something to that list.
    Cursor(Make),
    /// The id of something that belongs to one tenant.
    Id(Make),
    /// The same, but the answer does not say whether there is such a thing: a foreign one is
    /// answered as one that is nobody's.
    Secret(Make),
}

/// What every parameter holds that its schema does not make plain.
#[derive(Default)]
pub struct Makers {
    names: HashMap<&'static str, Holds>,
    places: HashMap<&'static str, Holds>,
}

impl Makers {
    /// Fields and query parameters that hold text, wherever they are.
    #[must_use]
    pub fn text(mut self, names: &[&'static str]) -> Self {
        self.names
            .extend(names.iter().map(|name| (*name, Holds::Text)));
        self
    }

    /// The same, of one place: `/control/v1/tokens?cursor`.
    #[must_use]
    pub fn text_at(mut self, place: &'static str) -> Self {
        self.places.insert(place, Holds::Text);
        self
    }

    /// A query parameter that holds the `next` of the same list, and what adds to that list.
    #[must_use]
    pub fn cursor(mut self, place: &'static str, make: Make) -> Self {
        self.places.insert(place, Holds::Cursor(make));
        self
    }

    /// An id: `/api/notes/{id}` in a path (and in those that begin so), `/api/notes?author` in a
    /// query, `/api/notes#author` in a body.
    #[must_use]
    pub fn id(mut self, place: &'static str, make: Make) -> Self {
        self.places.insert(place, Holds::Id(make));
        self
    }

    /// A secret in a body or query, whose answer does not say whether there is such a thing.
    #[must_use]
    pub fn secret(mut self, place: &'static str, make: Make) -> Self {
        self.places.insert(place, Holds::Secret(make));
        self
    }

    /// The same without the makers of one place.
    #[must_use]
    pub fn without(mut self, place: &str) -> Self {
        self.places.remove(place);
        self
    }

    /// What a parameter holds; `None` when nobody registered it. A name alone never makes a path's
    /// parameter known: `{id}` is another resource's in every path.
    pub(super) fn holds(&self, path: &str, parameter: &Parameter) -> Option<Holds> {
        let name = parameter.name.as_str();
        let place = match parameter.place {
            Place::Path => {
                let end = path.find(&format!("{{{name}}}"))? + name.len() + 2;
                path[..end].to_owned()
            }
            Place::Query => format!("{path}?{name}"),
            Place::Body => format!("{path}#{name}"),
        };
        let here = self.places.get(place.as_str());
        let anywhere = self
            .names
            .get(name)
            .filter(|_| parameter.place != Place::Path);
        here.or(anywhere).copied()
    }
}
