//! The description of both planes: names that are unique, and nothing left undescribed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const CRATES: [&str; 5] = [
    "service",
    "tenancy",
    "control-plane",
    "data-plane",
    "frontend",
];

fn description() -> Value {
    serde_json::to_value(testkit::description::whole()).unwrap()
}

/// Every operation, by method and path.
fn operations(api: &Value) -> Vec<(String, &Value)> {
    let mut all = Vec::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push((format!("{} {path}", method.to_uppercase()), operation));
        }
    }
    all
}

/// What a reference points to, or the value itself.
fn resolved<'a>(api: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(place) => api.pointer(&place[1..]).expect(place),
        None => value,
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_str().is_none_or(str::is_empty)
}

#[tokio::test]
async fn operation_ids_are_unique() {
    let api = description();
    let mut by_id: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, operation) in operations(&api) {
        let id = operation["operationId"].as_str().expect("an operationId");
        by_id.entry(id).or_default().push(name);
    }
    by_id.retain(|_, names| names.len() > 1);
    assert!(by_id.is_empty(), "{by_id:#?}");
}

/// utoipa keeps the last of several schemas of one name, so that a collision shows in no
/// description: it is looked for in the code.
#[test]
fn names_of_schemas_are_unique() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in CRATES
        .iter()
        .flat_map(|name| sources(&Path::new(WORKSPACE).join(name).join("src")))
    {
        for name in schemas(&fs::read_to_string(&file).unwrap()) {
            places
                .entry(name)
                .or_default()
                .push(file.display().to_string());
        }
    }
    assert!(
        places.len() > 40,
        "only {} schemas were found",
        places.len()
    );
    places.retain(|_, files| files.len() > 1);
    assert!(places.is_empty(), "{places:#?}");
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

/// The names under which the types of a file are described.
fn schemas(code: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let derived = code.split("#[derive(").skip(1);
    let described = derived.filter(|rest| rest.split(')').next().unwrap().contains("ToSchema"));
    described
        .map(|rest| {
            let declared = rest
                .find("struct ")
                .into_iter()
                .chain(rest.find("enum "))
                .min();
            let declared = declared.expect("a type");
            let attributes = &rest[..declared];
            match attributes.split_once("schema(as = ") {
                Some((_, name)) => word(name),
                None => word(rest[declared..].split_once(' ').unwrap().1),
            }
        })
        .collect()
}

#[tokio::test]
async fn every_operation_parameter_and_answer_is_described() {
    let api = description();
    let mut bare = BTreeSet::new();
    for (name, operation) in operations(&api) {
        if is_empty(&operation["summary"]) {
            bare.insert(format!("{name}: no summary"));
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if is_empty(&parameter["description"]) {
                bare.insert(format!("{name}: parameter {}", parameter["name"]));
            }
        }
        for (status, answer) in operation["responses"].as_object().unwrap() {
            if is_empty(&resolved(&api, answer)["description"]) {
                bare.insert(format!("{name}: answer {status}"));
            }
        }
    }
    assert!(bare.is_empty(), "{bare:#?}");
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    fn look(api: &Value, value: &Value, lost: &mut BTreeSet<String>) {
        if let Some(place) = value["$ref"].as_str()
            && api.pointer(place.trim_start_matches('#')).is_none()
        {
            lost.insert(place.to_owned());
        }
        let (fields, items) = (value.as_object(), value.as_array());
        let inner = fields.into_iter().flat_map(|fields| fields.values());
        for value in inner.chain(items.into_iter().flatten()) {
            look(api, value, lost);
        }
    }
    let (api, mut lost) = (description(), BTreeSet::new());
    look(&api, &api, &mut lost);
    assert!(lost.is_empty(), "{lost:?}");
}

#[tokio::test]
async fn every_operation_names_its_refusals() {
    let api = description();
    for (name, operation) in operations(&api) {
        if name.contains("/health") {
            continue;
        }
        let answers = &operation["responses"];
        for status in ["400", "403", "404", "429", "503"] {
            assert!(answers[status].is_object(), "{name}: {status}");
        }
        let guarded = operation["security"].is_array();
        assert!(!guarded || answers["401"].is_object(), "{name}: 401");
        let body = operation["requestBody"].is_object();
        assert!(!body || answers["422"].is_object(), "{name}: 422");
        for (status, answer) in answers.as_object().unwrap() {
            let kinds: Vec<_> = resolved(&api, answer)["content"]
                .as_object()
                .map(|content| content.keys().map(String::as_str).collect())
                .unwrap_or_default();
            let refused = status.starts_with(['4', '5']);
            assert!(!refused || !kinds.is_empty(), "{name}: {status}");
            let protocol = name.contains(" /oauth/");
            let both = kinds.contains(&"application/json");
            assert!(!refused || both == protocol, "{name}: {status} {kinds:?}");
            assert!(!refused || kinds.len() == 1, "{name}: {status} {kinds:?}");
        }
    }
}

#[tokio::test]
async fn bodies_have_examples_of_their_own_fields() {
    let api = description();
    let mut bare = BTreeSet::new();
    for (name, operation) in operations(&api) {
        let operators = operation["tags"][0] == "operators" || operation["tags"][0] == "health";
        let answers = operation["responses"].as_object().unwrap().iter();
        let good = answers.filter(|(status, _)| status.starts_with('2') && !operators);
        let bodies = good.map(|(_, answer)| answer);
        for body in bodies.chain([&operation["requestBody"]]) {
            for content in body["content"].as_object().into_iter().flatten() {
                if let Some(fault) = fault_of_examples(&api, content.1) {
                    bare.insert(format!("{name}: {fault}"));
                }
            }
        }
    }
    assert!(bare.is_empty(), "{bare:#?}");
}

fn fault_of_examples(api: &Value, content: &Value) -> Option<String> {
    let schema = resolved(api, &content["schema"]);
    let named = content["examples"].as_object();
    let mut examples: Vec<&Value> = named
        .into_iter()
        .flat_map(|named| named.values().map(|example| &example["value"]))
        .collect();
    let single = [content.get("example"), schema.get("example")];
    examples.extend(single.into_iter().flatten());
    if examples.is_empty() {
        return Some("no example".to_owned());
    }
    let known = fields(api, schema);
    let mut parts = schema["allOf"].as_array().into_iter().flatten();
    // A part without properties of its own holds any.
    let open = parts.any(|part| fields(api, resolved(api, part)).is_empty());
    let odd = examples.iter().find_map(|example| {
        let given = example.as_object()?.keys();
        given
            .filter(|key| !open && !known.contains(*key))
            .map(|key| format!("its example has {key}"))
            .next()
    });
    let lacks = |example: &&Value| {
        let required = schema["required"].as_array()?.iter();
        let mut missing = required.filter(|key| example.get(key.as_str().unwrap()).is_none());
        missing.next().map(|key| format!("its example lacks {key}"))
    };
    odd.or_else(|| examples.iter().find_map(lacks))
}

fn fields(api: &Value, schema: &Value) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = schema["properties"]
        .as_object()
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        found.extend(fields(api, resolved(api, part)));
    }
    found
}

#[tokio::test]
async fn a_tenant_can_be_named_in_a_try_of_every_tenants_endpoint() {
    let api = description();
    let first = &api["servers"][0]["url"];
    assert_eq!(first, "http://localhost:8080");
    assert_eq!(api["servers"][1]["url"], "http://{slug}.localhost:8080");
    assert_eq!(api["servers"][1]["variables"]["slug"]["default"], "acme");
    for (name, operation) in operations(&api) {
        let tag = operation["tags"][0].as_str().unwrap();
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let named = parameters
            .into_iter()
            .any(|one| one["name"] == "X-Tenant-Slug");
        let platform = ["operators", "sign-up", "health"].contains(&tag);
        assert_eq!(named, !platform, "{name}");
    }
}
