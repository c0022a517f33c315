//! `/api/notes`: the model resource. Pages, filter, sort, ETags and a quota; copy it for yours.
//!
//! Whoever may read, reads all notes of the tenant; a note is changed by its author, or by who
//! administers the tenant.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use service::{
    Faults, Json, Kind, Patched, Problem, Query,
    body::{Created, Text},
    problem::ProblemBody,
};
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::App,
    caller::Caller,
    error::Error,
    ids::{Id, NoteId, UserId},
    page,
    precondition::{etag, has_already, if_match},
    scope::{Read, Write},
    store::notes::{
        self, Author, Note,
        pages::{self, Filter, NoteSummary, Order, Place},
    },
};

const TITLE: usize = 200;
const BODY: usize = 100_000;

/// Which notes to list, and how.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Search {
    /// Notes whose title contains this, without regard to case.
    q: Option<String>,
    /// Notes of this user.
    #[param(inline, value_type = Option<UserId>)]
    author: Option<String>,
    /// `created_at`, `updated_at` or `title`; `-` in front turns it round. Default: `-created_at`.
    #[param(inline, value_type = Option<Order>)]
    sort: Option<String>,
    /// 1 to 200; default 50.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 200)]
    limit: Option<String>,
    /// `next` of the page before, under the same filter and sort.
    cursor: Option<String>,
}

/// A page of notes, which ends early when it has 256 KiB.
#[derive(Serialize, ToSchema)]
#[schema(example = json!(
    {"notes": [{"id": 1, "author_id": "0197c5a0-7e1c-7cc3-98c4-dc0c0c07398f",
    "title": "Minutes", "excerpt": "Agreed on the plan.", "version": 1,
    "created_at": "2026-01-31T09:30:00Z", "updated_at": "2026-01-31T09:30:00Z"}], "next": null}
))]
pub(crate) struct NotePage {
    notes: Vec<NoteSummary>,
    /// Where to go on; `null` on the last page.
    next: Option<String>,
}

/// A note to be.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"title": "Minutes", "body": "Agreed on the plan."}))]
pub(crate) struct NewNote {
    /// 1 to 200 characters.
    #[serde(default)]
    #[schema(value_type = String)]
    title: Text,
    /// Up to 100,000 characters; empty when absent.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    body: Text,
}

/// What is to be changed (RFC 7396): what is absent stays, `null` clears.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"title": "Minutes of May"}))]
pub(crate) struct NoteChanges {
    /// 1 to 200 characters; cannot be cleared.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    title: Patched<String>,
    /// Up to 100,000 characters; empty when cleared.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    body: Patched<String>,
}

/// Lists notes, page by page. Needs scope `read`.
#[utoipa::path(get, path = "/api/notes", tag = "notes", params(Search),
    security(("bearer" = ["read"])), responses(
    (status = 200, body = NotePage), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn list(
    caller: Caller<Read>,
    Query(search): Query<Search>,
) -> Result<Json<NotePage>, Error> {
    let order = order(search.sort.as_deref())?;
    let limit = page::limit(search.limit.as_deref())?;
    let after: Option<Place> = page::after(search.cursor.as_deref())?;
    if after.as_ref().is_some_and(|place| !place.is_in(order)) {
        return Err(fault("cursor", "belongs to another sort").into());
    }
    let filter = Filter {
        title: search.q.as_deref().filter(|text| !text.is_empty()),
        author: author(&search)?,
    };
    let page = pages::list(&caller.db, &filter, order, after.as_ref(), limit).await?;
    let next = page::next(&page, |note| Place::of(note, order));
    Ok(Json(NotePage {
        notes: page.items,
        next,
    }))
}

/// One note, with its ETag. Needs scope `read`.
#[utoipa::path(get, path = "/api/notes/{id}", tag = "notes", params(("id" = NoteId, Path, description = "The note's id"), ("If-None-Match" = Option<String>, Header,
        description = "The ETag that the caller has already")),
    security(("bearer" = ["read"])), responses(
    (status = 200, body = Note), (status = 304, description = "If-None-Match names this version"),
    (status = "4XX", body = ProblemBody)))]
pub(crate) async fn get(
    caller: Caller<Read>,
    Id(id): Id<NoteId>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let note = notes::find(&caller.db, id).await?;
    if has_already(&headers, note.version) {
        return Ok((
            StatusCode::NOT_MODIFIED,
            [(header::ETAG, etag(note.version))],
        )
            .into_response());
    }
    Ok(tagged(note))
}

/// Files a note under the caller. Needs scope `write`.
#[utoipa::path(post, path = "/api/notes", tag = "notes", request_body = NewNote,
    security(("bearer" = ["write"])), responses(
    (status = 201, body = Note), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller<Write>,
    Json(new): Json<NewNote>,
) -> Result<Response, Error> {
    let mut faults = Faults::new();
    let title = new.title.required("title", &mut faults);
    let title = title.map(|title| title.trim().to_owned());
    let body = new.body.optional("body", &mut faults).unwrap_or_default();
    check(title.as_deref(), Some(&body), &mut faults);
    faults.finish()?;
    let title = title.unwrap_or_default();
    let author = author_of(&caller)?;
    let note = notes::insert(&caller.db, author, &title, &body, app.clock.now()).await?;
    let location = HeaderValue::from_str(&format!("/api/notes/{}", note.id.0)).ok();
    let tag = etag(note.version);
    let mut response = Created(note).into_response();
    response.headers_mut().insert(header::ETAG, tag);
    response
        .headers_mut()
        .extend(location.map(|location| (header::LOCATION, location)));
    Ok(response)
}

/// Changes a note; a change to what it is already changes nothing. `If-Match` guards against
/// overwriting another's change. Needs scope `write`.
#[utoipa::path(patch, path = "/api/notes/{id}", tag = "notes", request_body = NoteChanges,
    params(("id" = NoteId, Path, description = "The note's id"), ("If-Match" = Option<String>, Header,
        description = "The ETag that it must still have")), security(("bearer" = ["write"])), responses(
    (status = 200, body = Note), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn patch(
    State(app): State<App>,
    caller: Caller<Write>,
    Id(id): Id<NoteId>,
    headers: HeaderMap,
    Json(changes): Json<NoteChanges>,
) -> Result<Response, Error> {
    let mut faults = Faults::new();
    let title = changes.title.replacement("title", &mut faults);
    let title = title.map(|title| title.trim().to_owned());
    let body = changes.body.change("body", &mut faults);
    let body = body.map(Option::unwrap_or_default);
    check(title.as_deref(), body.as_deref(), &mut faults);
    faults.finish()?;
    let versions = guard(&caller, id, &headers).await?;
    let (title, body, now) = (title.as_deref(), body.as_deref(), app.clock.now());
    let note = notes::update(&caller.db, id, title, body, versions.as_deref(), now).await?;
    Ok(tagged(note.ok_or_else(changed)?))
}

/// Removes a note, guarded by `If-Match` likewise. Needs scope `write`.
#[utoipa::path(delete, path = "/api/notes/{id}", tag = "notes",
    params(("id" = NoteId, Path, description = "The note's id"), ("If-Match" = Option<String>, Header,
        description = "The ETag that it must still have")), security(("bearer" = ["write"])), responses(
    (status = 204, description = "Removed"), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn delete(
    caller: Caller<Write>,
    Id(id): Id<NoteId>,
    headers: HeaderMap,
) -> Result<StatusCode, Error> {
    let versions = guard(&caller, id, &headers).await?;
    if notes::delete(&caller.db, id, versions.as_deref()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(changed().into())
    }
}

/// Whether the caller may change a note, and which versions of it. A note that is there but at
/// none of these versions when it comes to it has changed meanwhile.
async fn guard(
    caller: &Caller<Write>,
    id: NoteId,
    headers: &HeaderMap,
) -> Result<Option<Vec<i64>>, Error> {
    let note = notes::find(&caller.db, id).await?;
    if !author_of(caller)?.wrote(&note) && !caller.administers() {
        let detail = "A note is changed by its author, or by an admin's token with scope admin.";
        return Err(Problem::new(Kind::Forbidden).detail(detail).into());
    }
    let versions = if_match(headers);
    if versions
        .as_ref()
        .is_some_and(|versions| !versions.contains(&note.version))
    {
        return Err(changed().into());
    }
    Ok(versions)
}

/// A user, or a client that acts for itself.
fn author_of<S>(caller: &Caller<S>) -> Result<Author<'_>, Error> {
    let user = caller.user().map(Author::User);
    let client = || caller.principal.client.as_deref().map(Author::Client);
    user.or_else(client).ok_or(Error::NotFound)
}

fn changed() -> Problem {
    Problem::new(Kind::PreconditionFailed)
        .detail("The note has changed. Read it again and use its new ETag.")
}

fn tagged(note: Note) -> Response {
    ([(header::ETAG, etag(note.version))], Json(note)).into_response()
}

/// A title is counted as it is kept: without white space around it.
fn check(title: Option<&str>, body: Option<&str>, faults: &mut Faults) {
    if title.is_some_and(|title| !(1..=TITLE).contains(&title.chars().count())) {
        faults.add("title", format!("must have 1 to {TITLE} characters"));
    }
    if body.is_some_and(|body| body.chars().count() > BODY) {
        faults.add("body", format!("may have {BODY} characters at the most"));
    }
}

fn order(sort: Option<&str>) -> Result<Order, Problem> {
    let Some(sort) = sort else {
        return Ok(Order::default());
    };
    let known = Order::ALL.into_iter().find(|(word, _)| *word == sort);
    known.map(|(_, order)| order).ok_or_else(|| {
        let words: Vec<_> = Order::ALL.into_iter().map(|(word, _)| word).collect();
        fault("sort", &format!("must be one of {}", words.join(", ")))
    })
}

fn author(search: &Search) -> Result<Option<UserId>, Problem> {
    let read = |text: &str| {
        text.parse()
            .map_err(|_| fault("author", "is not a user's id"))
    };
    search.author.as_deref().map(read).transpose()
}

fn fault(field: &'static str, fault: &str) -> Problem {
    Problem::new(Kind::ValidationFailed).field(field, fault)
}
