//! The page of notes that the limit rows answer with: the SQL and the shape of the product's own
//! `GET /api/notes?limit=20`.

use std::sync::atomic::{AtomicI64, Ordering};

use serde::Serialize;
use time::OffsetDateTime;
use tokio_postgres::{Error, Row, types::ToSql};
use uuid::Uuid;

use super::SINGLE_SCHEMA;

/// The product's own query for a page, newest first.
pub(super) const PAGE: &str = data_plane::NOTES_PAGE.text();

/// Notes in a page; one more is asked for, which tells whether there is another page.
const LIMIT: usize = 20;
/// Rows that the single-schema table holds.
pub(crate) const SINGLE_ROWS: i64 = 10_000;

/// The parameters of the first page: no filter, the limit, and the place to begin at.
pub(super) fn first_page() -> [&'static (dyn ToSql + Sync); 4] {
    const TITLE: Option<&str> = None;
    const AUTHOR: Option<Uuid> = None;
    const ROWS: i64 = LIMIT as i64 + 1;
    const BEFORE: i64 = i64::MAX;
    [&TITLE, &AUTHOR, &ROWS, &BEFORE]
}

/// The single-schema query by key.
pub(super) fn by_key() -> String {
    format!(
        "SELECT id, author_id, client_id, title, left(body, 200), version, created_at, updated_at \
         FROM {SINGLE_SCHEMA}.notes WHERE id = $1"
    )
}

/// A key of the single-schema table, another one each time.
pub(super) fn any_key() -> i64 {
    static TURN: AtomicI64 = AtomicI64::new(0);
    // A step that shares no factor with the number of rows visits them all.
    TURN.fetch_add(7_919, Ordering::Relaxed)
        .rem_euclid(SINGLE_ROWS)
        + 1
}

#[derive(Serialize)]
struct Page<'a> {
    notes: Vec<Note<'a>>,
    next: Option<String>,
}

#[derive(Serialize)]
struct Note<'a> {
    id: i64,
    author_id: Option<Uuid>,
    client_id: Option<&'a str>,
    title: &'a str,
    excerpt: &'a str,
    version: i64,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

/// A page as JSON.
pub(super) fn page(rows: &[Row]) -> Result<String, super::Failure> {
    let notes = rows
        .iter()
        .take(LIMIT)
        .map(Note::try_from)
        .collect::<Result<Vec<_>, Error>>()?;
    let more = rows.len() > LIMIT;
    let next = notes
        .last()
        .filter(|_| more)
        .map(|note| note.id.to_string());
    Ok(serde_json::to_string(&Page { notes, next })?)
}

/// One note as JSON.
pub(super) fn one(row: &Row) -> Result<String, super::Failure> {
    Ok(serde_json::to_string(&Note::try_from(row)?)?)
}

impl<'a> TryFrom<&'a Row> for Note<'a> {
    type Error = Error;

    fn try_from(row: &'a Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.try_get(0)?,
            author_id: row.try_get(1)?,
            client_id: row.try_get(2)?,
            title: row.try_get(3)?,
            excerpt: row.try_get(4)?,
            version: row.try_get(5)?,
            created_at: row.try_get(6)?,
            updated_at: row.try_get(7)?,
        })
    }
}
