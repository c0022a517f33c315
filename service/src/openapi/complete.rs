//! What the description says of every route alike, added in one place so that no annotation has
//! to: unique operation ids, servers, how to name a tenant, and each refusal.

use std::collections::BTreeMap;

use utoipa::openapi::{
    Object, OpenApi, PathItem, Ref, RefOr, Required, Response, Schema, Server, Type,
    path::{Operation, Parameter, ParameterBuilder, ParameterIn},
    server::{ServerBuilder, ServerVariableBuilder},
};

use super::refusals;
use crate::settings::Addresses;

/// Whose routes are described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A tenant's: a request names it.
    Tenant,
    /// The platform's.
    Platform,
}

/// Completes the description of a plane's routes.
pub fn complete(api: &mut OpenApi, addresses: &Addresses, kind: Kind) {
    api.servers = Some(servers(addresses, kind));
    let schemas = api
        .components
        .as_ref()
        .map(|components| components.schemas.clone())
        .unwrap_or_default();
    for (path, item) in &mut api.paths.paths {
        for (method, operation) in operations(item) {
            operation.operation_id = Some(operation_id(method, path));
            if kind == Kind::Tenant {
                let parameters = operation.parameters.get_or_insert_default();
                parameters.push(tenant_header().into());
            }
            describe(operation, &schemas);
            refusals::add(operation, path, method);
        }
    }
    refusals::define(api.components.get_or_insert_default());
}

/// Every operation of a path, with its method.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("put", &mut item.put),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// `patch_api_notes_id` for `PATCH /api/notes/{id}`: handlers' names repeat, this does not.
fn operation_id(method: &str, path: &str) -> String {
    let words = path
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    [method]
        .into_iter()
        .chain(words)
        .collect::<Vec<_>>()
        .join("_")
}

fn servers(addresses: &Addresses, kind: Kind) -> Vec<Server> {
    let api = addresses.api();
    let base = api.as_str().trim_end_matches('/');
    let server = |url: &str, what: &str| ServerBuilder::new().url(url).description(Some(what));
    let platform = server(base, "The platform; a tenant is named by X-Tenant-Slug").build();
    if kind == Kind::Platform {
        return vec![platform];
    }
    let slug = || {
        ServerVariableBuilder::new()
            .default_value("acme")
            .description(Some("The tenant's slug"))
    };
    let host = base.replacen("://", "://{slug}.", 1);
    let host = api.host_str().map_or(host.clone(), |own| {
        host.replacen(own, &addresses.base_domain, 1)
    });
    let path = format!("{base}/tenants/{{slug}}");
    vec![
        platform,
        server(&host, "A tenant by its host")
            .parameter("slug", slug())
            .build(),
        server(&path, "A tenant by a path prefix")
            .parameter("slug", slug())
            .build(),
    ]
}

/// Optional: a tenant's host or a path prefix names it as well.
fn tenant_header() -> Parameter {
    ParameterBuilder::new()
        .name("X-Tenant-Slug")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "The tenant's slug, unless the host or a path prefix names the tenant.",
        ))
        .schema(Some(Object::with_type(Type::String)))
        .example(Some("acme".into()))
        .build()
}

/// An answer without a description of its own is described as its body is.
fn describe(operation: &mut Operation, schemas: &BTreeMap<String, RefOr<Schema>>) {
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            response.description = of_body(response, schemas).unwrap_or_default();
        }
    }
}

fn of_body(response: &Response, schemas: &BTreeMap<String, RefOr<Schema>>) -> Option<String> {
    let RefOr::T(content) = response.content.values().next()? else {
        return None;
    };
    match content.schema.as_ref()? {
        RefOr::Ref(Ref { ref_location, .. }) => {
            let name = ref_location.rsplit('/').next()?;
            match schemas.get(name)? {
                RefOr::T(schema) => of_schema(schema),
                RefOr::Ref(_) => None,
            }
        }
        RefOr::T(schema) => of_schema(schema),
    }
}

fn of_schema(schema: &Schema) -> Option<String> {
    match schema {
        Schema::Object(schema) => schema.description.clone(),
        Schema::Array(schema) => schema.description.clone(),
        Schema::OneOf(schema) => schema.description.clone(),
        Schema::AllOf(schema) => schema.description.clone(),
        Schema::AnyOf(schema) => schema.description.clone(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operation_ids_name_method_and_path() {
        assert_eq!(
            operation_id("patch", "/api/notes/{id}"),
            "patch_api_notes_id"
        );
        assert_eq!(
            operation_id("get", "/.well-known/openid-configuration"),
            "get_well_known_openid_configuration"
        );
    }

    #[test]
    fn a_tenant_is_reached_in_three_ways() {
        let urls = |kind| -> Vec<String> {
            let servers = servers(&Addresses::default(), kind).into_iter();
            servers.map(|server| server.url).collect()
        };
        assert_eq!(
            urls(Kind::Tenant),
            [
                "http://localhost:8080",
                "http://{slug}.localhost:8080",
                "http://localhost:8080/tenants/{slug}"
            ]
        );
        assert_eq!(urls(Kind::Platform), ["http://localhost:8080"]);
    }
}
