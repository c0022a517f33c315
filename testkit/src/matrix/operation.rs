//! An operation as the description has it.

use http::Method;
use serde_json::{Map, Value};

use super::makers::{Holds, Makers};

/// Who may call an operation, from its `security`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Anyone.
    Public,
    /// A bearer token with these scopes.
    Token(Vec<String>),
    /// A session of this role or above, or a token with these scopes of somebody like that.
    Member(String, Vec<String>),
    /// An OAuth client with its secret.
    Client,
    /// An operator.
    Operator,
    /// Something that the matrix does not know.
    Unknown,
}

/// Where a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query string.
    Query,
    /// In the body.
    Body,
}

/// A parameter, or a field of the body, that may hold an id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parameter {
    /// Where it is.
    pub place: Place,
    /// Its name.
    pub name: String,
}

/// Method and path, and what the description says of them.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The method.
    pub method: Method,
    /// The path, as its route is written.
    pub path: String,
    /// Both.
    pub name: String,
    /// Who may call it.
    pub guard: Guard,
    /// Whether it is a tenant's, named by a header.
    pub of_tenant: bool,
    /// What may hold an id.
    pub parameters: Vec<Parameter>,
    /// Bodies to send: those of the description's examples.
    pub bodies: Vec<Value>,
    /// Whether they are sent as a form.
    pub is_form: bool,
    has_body: bool,
}

/// Every operation of a description.
pub(super) fn all(api: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in api["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if let Ok(method) = method.to_uppercase().parse() {
                found.push(read(api, method, path, operation));
            }
        }
    }
    found
}

fn read(api: &Value, method: Method, path: &str, operation: &Value) -> Operation {
    let listed: Vec<&Value> = items(&operation["parameters"]);
    let named = |at: &'static str| listed.iter().filter(move |one| one["in"] == at);
    let of_tenant = named("header").any(|one| one["name"] == "X-Tenant-Slug");
    let mut parameters: Vec<Parameter> = named("path")
        .map(|one| parameter(Place::Path, &one["name"]))
        .collect();
    let query = named("query").filter(|one| !is_plain(api, &one["schema"]));
    parameters.extend(query.map(|one| parameter(Place::Query, &one["name"])));

    let contents = operation["requestBody"]["content"].as_object();
    let body = contents.and_then(|contents| contents.iter().next());
    let mut bodies = Vec::new();
    if let Some((_, content)) = body {
        let schema = resolved(api, &content["schema"]);
        let open = fields(api, schema);
        let own = open.iter().filter(|(_, schema)| !is_plain(api, schema));
        parameters.extend(own.map(|(name, _)| parameter(Place::Body, &Value::from(name.as_str()))));
        bodies = examples(content, schema);
    }
    Operation {
        name: format!("{method} {path}"),
        method,
        path: path.to_owned(),
        guard: guard(&operation["security"]),
        of_tenant,
        parameters,
        bodies,
        is_form: body.is_some_and(|(media, _)| media.contains("form")),
        has_body: body.is_some(),
    }
}

fn parameter(place: Place, name: &Value) -> Parameter {
    let name = name.as_str().unwrap_or_default().to_owned();
    Parameter { place, name }
}

fn items(value: &Value) -> Vec<&Value> {
    value.as_array().into_iter().flatten().collect()
}

fn resolved<'a>(api: &'a Value, value: &'a Value) -> &'a Value {
    let place = value["$ref"].as_str().map(|place| &place[1..]);
    place.and_then(|place| api.pointer(place)).unwrap_or(value)
}

/// The fields of a body, those of its parts among them.
fn fields(api: &Value, schema: &Value) -> Map<String, Value> {
    let mut found = schema["properties"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    for part in items(&schema["allOf"]) {
        found.extend(fields(api, resolved(api, part)));
    }
    found
}

fn examples(content: &Value, schema: &Value) -> Vec<Value> {
    let named = content["examples"].as_object().into_iter().flatten();
    let mut found: Vec<Value> = named.map(|(_, one)| one["value"].clone()).collect();
    if found.is_empty() {
        let single = content.get("example").or_else(|| schema.get("example"));
        found.extend(single.cloned());
    }
    found
}

/// Whether a schema leaves no room for an id: a choice, a switch, a number within bounds. Names of
/// an id's own type, texts and numbers without bounds are not.
fn is_plain(api: &Value, schema: &Value) -> bool {
    let schema = resolved(api, schema);
    for choices in ["oneOf", "anyOf"] {
        let choices = items(&schema[choices]);
        if !choices.is_empty() {
            return choices.iter().all(|one| is_plain(api, one));
        }
    }
    let types = schema["type"]
        .as_str()
        .into_iter()
        .chain(items(&schema["type"]).into_iter().filter_map(Value::as_str));
    schema["enum"].is_array()
        || types.into_iter().all(|kind| match kind {
            "boolean" | "null" => true,
            "integer" | "number" => schema["minimum"].is_number() && schema["maximum"].is_number(),
            "object" => schema["properties"]
                .as_object()
                .is_none_or(|fields| fields.values().all(|field| is_plain(api, field))),
            _ => false,
        })
}

fn guard(security: &Value) -> Guard {
    let needs: Vec<&Map<String, Value>> = items(security)
        .into_iter()
        .filter_map(Value::as_object)
        .collect();
    let scopes = |name: &str| -> Option<Vec<String>> {
        let one = needs.iter().find_map(|need| need.get(name))?;
        let texts = items(one).into_iter().filter_map(Value::as_str);
        Some(texts.map(str::to_owned).collect())
    };
    if needs.iter().any(|need| need.is_empty()) || needs.is_empty() {
        return Guard::Public;
    }
    match (
        scopes("session"),
        scopes("bearer"),
        scopes("client"),
        scopes("operator"),
    ) {
        (Some(roles), bearer, None, None) => {
            let role = roles.first().cloned().unwrap_or_else(|| "user".to_owned());
            Guard::Member(role, bearer.unwrap_or_default())
        }
        (None, Some(scopes), None, None) => Guard::Token(scopes),
        (None, None, Some(_), None) => Guard::Client,
        (None, None, None, Some(_)) => Guard::Operator,
        _ => Guard::Unknown,
    }
}

impl Operation {
    pub(super) fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path == path
    }

    /// What the description or the makers leave open, so that the operation cannot be checked.
    pub(super) fn faults(&self, makers: &Makers) -> Vec<String> {
        let mut faults = Vec::new();
        if self.guard == Guard::Public {
            return faults;
        }
        if self.guard == Guard::Unknown {
            faults.push(format!("{}: its guard is none that is known", self.name));
        }
        if self.has_body && self.bodies.is_empty() {
            faults.push(format!("{}: its body has no example", self.name));
        }
        let known = |one: &&Parameter| makers.holds(&self.path, one).is_none();
        for Parameter { place, name } in self.parameters.iter().filter(known) {
            faults.push(format!(
                "{}: no way is registered to make {name} ({place:?})",
                self.name
            ));
        }
        faults
    }

    /// The parameters that hold ids, with how one is made. Of the body, those of an example.
    pub(super) fn ids<'a>(
        &'a self,
        makers: &'a Makers,
    ) -> impl Iterator<Item = (&'a Parameter, Holds)> {
        let held = |one: &'a Parameter| Some((one, makers.holds(&self.path, one)?));
        self.parameters
            .iter()
            .filter_map(held)
            .filter(|(_, holds)| !matches!(holds, Holds::Text))
    }
}
