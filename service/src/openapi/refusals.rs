//! The refusals of every operation: problems (RFC 9457), and at the protocol's endpoints the body
//! of RFC 6749 with the problem's members beside it.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, Content, Object, Ref, RefOr, Response, Type,
        header::Header,
        path::{Operation, ParameterIn},
        response::ResponseBuilder,
    },
};

use crate::{
    problem::ProblemBody,
    protocol::{OAuthErrorBody, is_protocol},
};

/// Status, name of the shared response, description, and a header that it carries.
type Refusal = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
);

#[rustfmt::skip]
const REFUSALS: &[Refusal] = &[
    ("400", "BadRequest", "The request cannot be read, or names no tenant or two", None),
    ("401", "Unauthorized", "No credentials, or none that are valid here", Some("WWW-Authenticate")),
    ("403", "Forbidden", "Not allowed: role, scope, quota, another site, a suspended tenant", None),
    ("404", "NotFound", "No such tenant, or nothing of that id here", None),
    ("408", "RequestTimeout", "The body took too long to arrive", None),
    ("409", "Conflict", "Taken already, or not possible in its present state", None),
    ("412", "PreconditionFailed", "It has changed since the version that If-Match names", None),
    ("413", "BodyTooLarge", "The body is over 1 MiB", None),
    ("415", "UnsupportedMediaType", "The body is of a type that is not read here", None),
    ("422", "ValidationFailed", "Some fields are not valid; `errors` names all of them", None),
    ("429", "RateLimited", "Too many requests", Some("Retry-After")),
    ("503", "Unavailable", "Temporarily unavailable; nothing was done", Some("Retry-After")),
];

/// Names every refusal that an operation may answer with. `4XX` in an annotation stands for them.
pub(super) fn add(operation: &mut Operation, path: &str, method: &str) {
    let prefix = if is_protocol(path) { "OAuth" } else { "" };
    operation.responses.responses.remove("4XX");
    for (status, name, ..) in REFUSALS {
        let responses = &operation.responses.responses;
        if responses.contains_key(*status) || may(operation, method, status) {
            let shared = Ref::from_response_name(format!("{prefix}{name}"));
            let responses = &mut operation.responses.responses;
            responses.insert((*status).to_owned(), RefOr::Ref(shared));
        }
    }
}

fn may(operation: &Operation, method: &str, status: &str) -> bool {
    let has_body = operation.request_body.is_some();
    let reads = method == "get";
    match status {
        "401" => operation.security.is_some(),
        "408" | "413" | "415" => has_body,
        "409" => !reads,
        "412" => has_parameter(operation, |_, name| name.eq_ignore_ascii_case("if-match")),
        "422" => has_body || has_parameter(operation, |at, _| *at == ParameterIn::Query),
        _ => true,
    }
}

fn has_parameter(operation: &Operation, fits: impl Fn(&ParameterIn, &str) -> bool) -> bool {
    let parameters = operation.parameters.iter().flatten();
    parameters
        .filter_map(|parameter| match parameter {
            RefOr::T(parameter) => Some(parameter),
            RefOr::Ref(_) => None,
        })
        .any(|parameter| fits(&parameter.parameter_in, &parameter.name))
}

/// Defines the shared responses.
pub(super) fn define(components: &mut Components) {
    components
        .schemas
        .insert(ProblemBody::name().into_owned(), ProblemBody::schema());
    components.schemas.insert(
        OAuthErrorBody::name().into_owned(),
        OAuthErrorBody::schema(),
    );
    for refusal in REFUSALS {
        let problem = ("application/problem+json", "ProblemBody");
        let own = response(refusal, problem);
        components
            .responses
            .insert(refusal.1.to_owned(), own.into());
        let name = format!("OAuth{}", refusal.1);
        let protocols = response(refusal, ("application/json", "OAuthErrorBody"));
        components.responses.insert(name, protocols.into());
    }
}

fn response((_, _, description, header): &Refusal, (media_type, schema): (&str, &str)) -> Response {
    let content = Content::new(Some(Ref::from_schema_name(schema)));
    let mut response = ResponseBuilder::new()
        .description(*description)
        .content(media_type, content);
    if let Some(header) = header {
        response = response.header(*header, Header::new(Object::with_type(Type::String)));
    }
    response.build()
}
