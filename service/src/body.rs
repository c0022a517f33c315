//! Request bodies and queries, read exactly and within limits of size and time, or refused as
//! problems.
//!
//! Syntax is 400, an unreadable type 415, a wrong shape or a text that cannot be stored 422, too
//! much 413, too slow 408. A JSON body is an object.

pub mod form;
pub mod json;
pub(crate) mod read_on;
mod text;

use std::time::Duration;

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::problem::{Kind, Problem};
use form::Empty;
pub use text::Text;

/// What is wrong with a text that PostgreSQL cannot hold.
const NUL: &str = "must not contain NUL";

/// The most bytes that a request's body may have.
pub const LIMIT: usize = 1024 * 1024;

/// The longest that a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(15);

/// A JSON body (RFC 8259), in requests and answers.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// A body of `application/x-www-form-urlencoded`.
#[derive(Debug)]
pub struct Form<T>(pub T);

/// A JSON or form body, by its content type.
#[derive(Debug)]
pub struct JsonOrForm<T>(pub T);

/// The parameters of an OAuth request: a form as RFC 6749 has it, or JSON. Empty ones count as
/// omitted (section 3.2).
#[derive(Debug)]
pub struct Parameters<T>(pub T);

/// The query string.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if media_type(request.headers())? != Media::Json {
            return Err(unsupported("application/json"));
        }
        parse_json(&read(request).await?, Empty::Kept).map(Self)
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if media_type(request.headers())? != Media::Form {
            return Err(unsupported("application/x-www-form-urlencoded"));
        }
        parse_form(&read(request).await?, Empty::Kept).map(Self)
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for JsonOrForm<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        json_or_form(request, Empty::Kept).await.map(Self)
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        json_or_form(request, Empty::Omitted).await.map(Self)
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        parse_pairs(query.as_bytes(), Empty::Kept, "query string").map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
            Err(cause) => Problem::internal(&cause).into_response(),
        }
    }
}

/// Answers 201 with a body.
#[derive(Debug)]
pub struct Created<T>(pub T);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Json(self.0)).into_response()
    }
}

#[derive(PartialEq)]
enum Media {
    Json,
    Form,
    Other,
}

/// What a body is. One in another character set than UTF-8 would be misread, so it is refused.
fn media_type(headers: &HeaderMap) -> Result<Media, Problem> {
    let value = headers.get(header::CONTENT_TYPE);
    let value = value.map_or(&b""[..], HeaderValue::as_bytes);
    let mut parts = value.split(|b| *b == b';').map(<[u8]>::trim_ascii);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let media = match essence.as_slice() {
        b"application/json" => Media::Json,
        b"application/x-www-form-urlencoded" => Media::Form,
        _ => Media::Other,
    };
    if media != Media::Other && parts.filter_map(charset).any(|name| !is_utf8(name)) {
        return Err(Problem::new(Kind::UnsupportedMediaType).detail("Send the body as UTF-8."));
    }
    Ok(media)
}

/// The value of a parameter `charset`, which may be quoted.
fn charset(parameter: &[u8]) -> Option<&[u8]> {
    let at = parameter.iter().position(|b| *b == b'=')?;
    let (name, value) = (
        parameter[..at].trim_ascii(),
        parameter[at + 1..].trim_ascii(),
    );
    let quoted = value
        .strip_prefix(b"\"")
        .and_then(|v| v.strip_suffix(b"\""));
    name.eq_ignore_ascii_case(b"charset")
        .then_some(quoted.unwrap_or(value))
}

fn is_utf8(charset: &[u8]) -> bool {
    charset.eq_ignore_ascii_case(b"utf-8") || charset.eq_ignore_ascii_case(b"utf8")
}

fn unsupported(wanted: &str) -> Problem {
    Problem::new(Kind::UnsupportedMediaType).detail(format!("Send the body as {wanted}."))
}

/// Reads a whole body within [`LIMIT`] and a limit of time.
///
/// # Errors
/// 413 when it is larger, 408 when it is slower, 400 when it breaks off.
pub async fn read(request: Request) -> Result<Bytes, Problem> {
    let body = Limited::new(request.into_body(), LIMIT).collect();
    match tokio::time::timeout(PATIENCE, body).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(fault)) if fault.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::new(Kind::MalformedRequest).detail("The body is incomplete.")),
        Err(_) => Err(Problem::new(Kind::RequestTimeout)),
    }
}

pub(crate) fn too_large() -> Problem {
    Problem::new(Kind::BodyTooLarge).detail(format!("A body may have {LIMIT} bytes at the most."))
}

async fn json_or_form<T: DeserializeOwned>(request: Request, empty: Empty) -> Result<T, Problem> {
    match media_type(request.headers())? {
        Media::Json => parse_json(&read(request).await?, empty),
        Media::Form => parse_form(&read(request).await?, empty),
        Media::Other => Err(unsupported(
            "application/json or application/x-www-form-urlencoded",
        )),
    }
}

fn parse_json<T: DeserializeOwned>(body: &[u8], empty: Empty) -> Result<T, Problem> {
    let told = |kind, fault: String| {
        Problem::new(kind).detail(format!("The JSON body cannot be read: {fault}."))
    };
    let mut members = match json::parse(body) {
        Ok(Value::Object(members)) => members,
        Ok(_) => {
            return Err(told(
                Kind::ValidationFailed,
                "it is not an object".to_owned(),
            ));
        }
        Err(json::Fault::Texts(faults)) => return Err(faults.into()),
        Err(json::Fault::Syntax(fault) | json::Fault::Shape(fault)) => {
            return Err(told(Kind::MalformedRequest, fault.to_string()));
        }
    };
    if empty == Empty::Omitted {
        members.retain(|_, value| value != "");
    }
    json::from_value(Value::Object(members))
        .map_err(|fault| told(Kind::ValidationFailed, fault.to_string()))
}

fn parse_form<T: DeserializeOwned>(body: &[u8], empty: Empty) -> Result<T, Problem> {
    parse_pairs(body, empty, "form body")
}

fn parse_pairs<T: DeserializeOwned>(bytes: &[u8], empty: Empty, what: &str) -> Result<T, Problem> {
    form::read(bytes, empty).map_err(|fault| match fault {
        form::Fault::Encoding(fault) => {
            Problem::new(Kind::MalformedRequest).detail(format!("The {what}: {fault}."))
        }
        form::Fault::Texts(faults) => faults.into(),
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Sample {
        #[serde(default)]
        name: Text,
    }

    async fn json(content_type: &str, body: &'static [u8]) -> Result<Json<Sample>, Problem> {
        let request = Request::builder()
            .header(header::CONTENT_TYPE, content_type)
            .body(Body::from(body))
            .unwrap();
        Json::from_request(request, &()).await
    }

    #[tokio::test]
    async fn bad_bodies_are_told_apart() {
        for (content_type, body, kind) in [
            ("application/json", &b"{"[..], Kind::MalformedRequest),
            ("application/json", b"\xff\xfe", Kind::MalformedRequest),
            (
                "application/json",
                br#"{"name":"a","name":"b"}"#,
                Kind::MalformedRequest,
            ),
            ("application/json", b"[]1", Kind::MalformedRequest),
            ("application/json", b"7", Kind::ValidationFailed),
            ("text/plain", b"{}", Kind::UnsupportedMediaType),
            ("", b"{}", Kind::UnsupportedMediaType),
        ] {
            let problem = json(content_type, body).await.unwrap_err();
            assert_eq!(problem.kind(), kind, "{content_type} {body:?}");
        }
    }

    #[tokio::test]
    async fn json_may_name_its_charset() {
        let body = json("Application/JSON; charset=utf-8", br#"{"name":"a"}"#)
            .await
            .unwrap();
        assert_eq!(body.0.name, Text::Given("a".to_owned()));
    }

    #[tokio::test]
    async fn a_body_in_another_character_set_is_refused() {
        for (parameters, is_read) in [
            ("; charset=\"UTF-8\"", true),
            ("; Charset = utf8; x=y", true),
            ("; charset=iso-8859-1", false),
            ("; x=y; CHARSET=\"utf-16\"", false),
            ("; charset=utf-8; charset=latin1", false),
        ] {
            for media in ["application/json", "application/x-www-form-urlencoded"] {
                let request = Request::builder()
                    .header(header::CONTENT_TYPE, format!("{media}{parameters}"))
                    .body(Body::from(if media.ends_with("json") { "{}" } else { "" }))
                    .unwrap();
                let read = Parameters::<Sample>::from_request(request, &()).await;
                let refused = read.err().map(|problem| problem.kind());
                let wanted = (!is_read).then_some(Kind::UnsupportedMediaType);
                assert_eq!(refused, wanted, "{media}{parameters}");
            }
        }
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused() {
        let body = Body::from(vec![b' '; LIMIT + 1]);
        let problem = read(Request::new(body)).await.unwrap_err();
        assert_eq!(problem.kind(), Kind::BodyTooLarge);
    }
}
