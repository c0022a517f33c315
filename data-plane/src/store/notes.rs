//! Notes: the model resource. To make one of your own, copy this file with its folder,
//! `api/notes.rs` and the table in `tenant-migrations/`.

pub(crate) mod pages;

use serde::Serialize;
use tenancy::TenantDb;
use time::OffsetDateTime;
use tokio_postgres::Row;
use utoipa::ToSchema;

use crate::{
    error::Error,
    ids::{NoteId, UserId},
};

macro_rules! columns {
    () => {
        "id, author_id, client_id, title, body, version, created_at, updated_at"
    };
}

/// Whether an update makes another note of it.
macro_rules! changes {
    () => {
        "(coalesce($2, title), coalesce($3, body)) IS DISTINCT FROM (title, body)"
    };
}

tenancy::statements! {
    FIND = concat!("SELECT ", columns!(), " FROM notes WHERE id = $1");
    INSERT = concat!(
        "WITH room AS (UPDATE usage SET used = used + 1 WHERE resource = 'notes' ",
        "AND ($5::bigint IS NULL OR used < $5) RETURNING 1) ",
        "INSERT INTO notes (author_id, client_id, title, body, created_at, updated_at) ",
        "SELECT $1::uuid, $6::text, $2::text, $3::text, $4::timestamptz, $4 FROM room RETURNING ",
        columns!()
    );
    UPDATE = concat!(
        "UPDATE notes SET title = coalesce($2, title), body = coalesce($3, body), ",
        "version = version + CASE WHEN ", changes!(), " THEN 1 ELSE 0 END, ",
        "updated_at = CASE WHEN ", changes!(), " THEN $4 ELSE updated_at END ",
        "WHERE id = $1 AND ($5::bigint[] IS NULL OR version = ANY ($5)) RETURNING ", columns!()
    );
    DELETE = "WITH gone AS (DELETE FROM notes \
              WHERE id = $1 AND ($2::bigint[] IS NULL OR version = ANY ($2)) RETURNING 1) \
              UPDATE usage SET used = used - 1 FROM gone WHERE resource = 'notes'";
}

/// A note.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!(
    {"id": 1, "author_id": "0197c5a0-7e1c-7cc3-98c4-dc0c0c07398f", "title": "Minutes",
    "body": "Agreed on the plan.", "version": 1, "created_at": "2026-01-31T09:30:00Z",
    "updated_at": "2026-01-31T09:30:00Z"}
))]
pub(crate) struct Note {
    /// Rises with time.
    pub(crate) id: NoteId,
    /// `null` when a client wrote it for itself, or the author was removed.
    pub(crate) author_id: Option<UserId>,
    /// The client that wrote it for itself; `null` when a user wrote it.
    pub(crate) client_id: Option<String>,
    /// 1 to 200 characters.
    pub(crate) title: String,
    /// Up to 100,000 characters.
    pub(crate) body: String,
    /// Rises with every change; the ETag.
    pub(crate) version: i64,
    /// When it was written.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    /// When it was last changed.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) updated_at: OffsetDateTime,
}

/// The note of an id.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn find(db: &TenantDb, id: NoteId) -> Result<Note, Error> {
    let row = db.query_opt(FIND, &[&id.0]).await?.ok_or(Error::NotFound)?;
    read(&row)
}

/// Who writes a note: a user, or a client for itself.
#[derive(Clone, Copy)]
pub(crate) enum Author<'a> {
    User(UserId),
    Client(&'a str),
}

impl Author<'_> {
    /// Whether they wrote a note. An absent author is nobody.
    pub(crate) fn wrote(&self, note: &Note) -> bool {
        match self {
            Self::User(id) => note.author_id == Some(*id),
            Self::Client(id) => note.client_id.as_deref() == Some(id),
        }
    }
}

/// Files a note under its author, if the plan has room.
///
/// # Errors
/// `Quota` when it has not.
pub(crate) async fn insert(
    db: &TenantDb,
    author: Author<'_>,
    title: &str,
    body: &str,
    now: OffsetDateTime,
) -> Result<Note, Error> {
    let (user, client) = match &author {
        Author::User(id) => (Some(id.as_uuid()), None),
        Author::Client(id) => (None, Some(*id)),
    };
    let limit = db.tenant().plan.max_notes.map(i64::from);
    match db
        .query_opt(INSERT, &[&user, &title, &body, &now, &limit, &client])
        .await?
    {
        Some(row) => read(&row),
        None => {
            let limit = limit.unwrap_or(i64::MAX);
            Err(Error::Quota {
                quota: "notes",
                limit,
                used: limit,
            })
        }
    }
}

/// Changes a note whose version is one of `versions`; one that stays what it is keeps its version.
/// `None` when there is no such note.
///
/// # Errors
/// Those of the database.
pub(crate) async fn update(
    db: &TenantDb,
    id: NoteId,
    title: Option<&str>,
    body: Option<&str>,
    versions: Option<&[i64]>,
    now: OffsetDateTime,
) -> Result<Option<Note>, Error> {
    let row = db
        .query_opt(UPDATE, &[&id.0, &title, &body, &now, &versions])
        .await?;
    row.as_ref().map(read).transpose()
}

/// Removes a note whose version is one of `versions`. `false` when there is no such note.
///
/// # Errors
/// Those of the database.
pub(crate) async fn delete(
    db: &TenantDb,
    id: NoteId,
    versions: Option<&[i64]>,
) -> Result<bool, Error> {
    Ok(db.execute(DELETE, &[&id.0, &versions]).await? == 1)
}

fn read(row: &Row) -> Result<Note, Error> {
    Ok(Note {
        id: NoteId(row.try_get(0)?),
        author_id: row.try_get::<_, Option<_>>(1)?.map(UserId::new),
        client_id: row.try_get(2)?,
        title: row.try_get(3)?,
        body: row.try_get(4)?,
        version: row.try_get(5)?,
        created_at: row.try_get(6)?,
        updated_at: row.try_get(7)?,
    })
}
