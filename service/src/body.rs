//! Request bodies and queries, read within limits of size and time, refused as problems.
//!
//! Syntax is 400, an unreadable type 415, a wrong shape 422, too much 413, too slow 408.

use std::time::Duration;

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};

use crate::{
    faults::Faults,
    problem::{Kind, Problem},
};

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

/// The query string.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if media_type(request.headers()) != Media::Json {
            return Err(unsupported("application/json"));
        }
        parse_json(&read(request).await?).map(Self)
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if media_type(request.headers()) != Media::Form {
            return Err(unsupported("application/x-www-form-urlencoded"));
        }
        parse_form(&read(request).await?).map(Self)
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for JsonOrForm<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        match media_type(request.headers()) {
            Media::Json => parse_json(&read(request).await?).map(Self),
            Media::Form => parse_form(&read(request).await?).map(Self),
            Media::Other => Err(unsupported(
                "application/json or application/x-www-form-urlencoded",
            )),
        }
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        serde_urlencoded::from_str(query)
            .map(Self)
            .map_err(|fault| {
                Problem::new(Kind::MalformedRequest).detail(format!("The query string: {fault}."))
            })
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

/// A text field that is kept even when it is missing or of the wrong type, so that its fault can
/// be told together with those of the other fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Text {
    /// Absent or null.
    #[default]
    Missing,
    /// Present, but no text.
    NotText,
    /// A text.
    Given(String),
}

impl Text {
    /// The text, or a noted fault.
    pub fn required(self, field: &'static str, faults: &mut Faults) -> Option<String> {
        match self {
            Self::Missing => faults.add(field, "is required"),
            Self::NotText => faults.add(field, "must be a text"),
            Self::Given(text) if text.contains('\0') => faults.add(field, "must not contain NUL"),
            Self::Given(text) => return Some(text),
        }
        None
    }

    /// The text if there is one; a fault if there is something else.
    pub fn optional(self, field: &'static str, faults: &mut Faults) -> Option<String> {
        if self == Self::Missing {
            None
        } else {
            self.required(field, faults)
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Null => Self::Missing,
            serde_json::Value::String(text) => Self::Given(text),
            _ => Self::NotText,
        })
    }
}

#[derive(PartialEq)]
enum Media {
    Json,
    Form,
    Other,
}

fn media_type(headers: &HeaderMap) -> Media {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = value
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    match essence.to_ascii_lowercase().as_str() {
        "application/json" => Media::Json,
        "application/x-www-form-urlencoded" => Media::Form,
        _ => Media::Other,
    }
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
        Ok(Err(_)) => Err(Problem::new(Kind::MalformedRequest).detail("The body broke off.")),
        Err(_) => Err(Problem::new(Kind::RequestTimeout)),
    }
}

pub(crate) fn too_large() -> Problem {
    Problem::new(Kind::BodyTooLarge).detail(format!("A body may have {LIMIT} bytes at the most."))
}

fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|fault| {
        let shape = fault.is_data() && !fault.to_string().starts_with("duplicate field");
        let kind = if shape {
            Kind::ValidationFailed
        } else {
            Kind::MalformedRequest
        };
        Problem::new(kind).detail(format!("The JSON body: {fault}."))
    })
}

fn parse_form<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let malformed = |fault: String| {
        Problem::new(Kind::MalformedRequest).detail(format!("The form body: {fault}."))
    };
    std::str::from_utf8(body).map_err(|_| malformed("it is not UTF-8".to_owned()))?;
    serde_urlencoded::from_bytes(body).map_err(|fault| malformed(fault.to_string()))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

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
    async fn a_body_over_the_limit_is_refused() {
        let body = Body::from(vec![b' '; LIMIT + 1]);
        let problem = read(Request::new(body)).await.unwrap_err();
        assert_eq!(problem.kind(), Kind::BodyTooLarge);
    }

    #[test]
    fn texts_note_their_faults() {
        let mut faults = Faults::new();
        assert_eq!(Text::Missing.required("a", &mut faults), None);
        assert_eq!(Text::NotText.required("b", &mut faults), None);
        assert_eq!(
            Text::Given("x\0".to_owned()).required("c", &mut faults),
            None
        );
        assert_eq!(Text::Missing.optional("d", &mut faults), None);
        let problem: Problem = faults.into();
        assert_eq!(problem.kind(), Kind::ValidationFailed);
    }
}
