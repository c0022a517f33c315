//! Notes: the model resource. To make one of your own, copy this file, `api/notes.rs` and the
//! table in `tenant-migrations/`.

use serde::{Deserialize, Serialize};
use tenancy::{Sql, TenantDb};
use time::OffsetDateTime;
use tokio_postgres::Row;
use utoipa::ToSchema;

use crate::{
    error::Error,
    ids::{NoteId, UserId},
    page::Moment,
};

macro_rules! columns {
    () => {
        "id, author_id, title, body, version, created_at, updated_at"
    };
}

/// A page in one order. A condition of a filter that is not used costs nothing worth measuring.
macro_rules! page {
    ($start:literal, $order:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM notes WHERE ($1::text IS NULL ",
            "OR position(lower($1) IN lower(title)) > 0) ",
            "AND ($2::uuid IS NULL OR author_id = $2) AND ",
            $start,
            " ORDER BY ",
            $order,
            " LIMIT $3"
        )
    };
}

tenancy::statements! {
    NEWEST_PAGE = page!("id < $4", "id DESC");
    OLDEST_PAGE = page!("id > $4", "id");
    BY_TITLE = page!("($5::text IS NULL OR (title, id) > ($5, $4))", "title, id");
    BY_TITLE_DOWN = page!("($5::text IS NULL OR (title, id) < ($5, $4))", "title DESC, id DESC");
    BY_CHANGE = page!(
        "($5::timestamptz IS NULL OR (updated_at, id) > ($5, $4))", "updated_at, id"
    );
    BY_CHANGE_DOWN = page!(
        "($5::timestamptz IS NULL OR (updated_at, id) < ($5, $4))", "updated_at DESC, id DESC"
    );
    FIND = concat!("SELECT ", columns!(), " FROM notes WHERE id = $1");
    INSERT = concat!(
        "WITH room AS (UPDATE usage SET used = used + 1 WHERE resource = 'notes' ",
        "AND ($5::bigint IS NULL OR used < $5) RETURNING 1) ",
        "INSERT INTO notes (author_id, title, body, created_at, updated_at) ",
        "SELECT $1::uuid, $2::text, $3::text, $4::timestamptz, $4 FROM room RETURNING ", columns!()
    );
    UPDATE = concat!(
        "UPDATE notes SET title = coalesce($2, title), body = coalesce($3, body), ",
        "version = version + 1, updated_at = $4 ",
        "WHERE id = $1 AND ($5::bigint[] IS NULL OR version = ANY ($5)) RETURNING ", columns!()
    );
    DELETE = "WITH gone AS (DELETE FROM notes \
              WHERE id = $1 AND ($2::bigint[] IS NULL OR version = ANY ($2)) RETURNING 1) \
              UPDATE usage SET used = used - 1 FROM gone WHERE resource = 'notes'";
}

pub(super) const NEWEST: Sql = NEWEST_PAGE;

/// A note.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Note {
    /// Rises with time.
    pub(crate) id: NoteId,
    /// `null` when a client wrote it for itself, or the author is gone.
    pub(crate) author_id: Option<UserId>,
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

/// An order in which notes are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Order {
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    #[serde(rename = "created_at")]
    Oldest,
    #[serde(rename = "title")]
    Title,
    #[serde(rename = "-title")]
    TitleDown,
    #[serde(rename = "updated_at")]
    Change,
    #[serde(rename = "-updated_at")]
    ChangeDown,
}

impl Order {
    /// All orders, by the wire's words.
    pub(crate) const ALL: [(&'static str, Self); 6] = [
        ("-created_at", Self::Newest),
        ("created_at", Self::Oldest),
        ("title", Self::Title),
        ("-title", Self::TitleDown),
        ("updated_at", Self::Change),
        ("-updated_at", Self::ChangeDown),
    ];
}

/// Where a page ended: the last note's value in the page's order, and its id.
#[derive(Serialize, Deserialize)]
pub(crate) struct Place {
    order: Order,
    id: i64,
    title: Option<String>,
    updated_at: Option<Moment>,
}

impl Place {
    pub(crate) fn of(note: &Note, order: Order) -> Self {
        let by_title = matches!(order, Order::Title | Order::TitleDown);
        let by_change = matches!(order, Order::Change | Order::ChangeDown);
        Self {
            order,
            id: note.id.0,
            title: by_title.then(|| note.title.clone()),
            updated_at: by_change.then_some(Moment(note.updated_at)),
        }
    }

    /// A cursor leads on in the order in which it was made alone.
    pub(crate) fn is_in(&self, order: Order) -> bool {
        self.order == order
    }
}

/// Which notes to list.
#[derive(Default)]
pub(crate) struct Filter<'a> {
    pub(crate) title: Option<&'a str>,
    pub(crate) author: Option<UserId>,
}

/// Notes in an order, after a place.
///
/// # Errors
/// Those of the database.
pub(crate) async fn list(
    db: &TenantDb,
    filter: &Filter<'_>,
    order: Order,
    after: Option<&Place>,
    limit: i64,
) -> Result<Vec<Note>, Error> {
    let Filter { title, author } = filter;
    let author = author.as_ref().map(UserId::as_uuid);
    let id = after.map(|place| place.id);
    let (from_start, from_end) = (id.unwrap_or(i64::MIN), id.unwrap_or(i64::MAX));
    let last_title = after.and_then(|place| place.title.as_deref());
    let last_change = after.and_then(|place| place.updated_at).map(|at| at.0);
    let rows = match order {
        Order::Newest => {
            db.query(NEWEST_PAGE, &[title, &author, &limit, &from_end])
                .await
        }
        Order::Oldest => {
            db.query(OLDEST_PAGE, &[title, &author, &limit, &from_start])
                .await
        }
        Order::Title => {
            db.query(
                BY_TITLE,
                &[title, &author, &limit, &from_start, &last_title],
            )
            .await
        }
        Order::TitleDown => {
            db.query(
                BY_TITLE_DOWN,
                &[title, &author, &limit, &from_end, &last_title],
            )
            .await
        }
        Order::Change => {
            db.query(
                BY_CHANGE,
                &[title, &author, &limit, &from_start, &last_change],
            )
            .await
        }
        Order::ChangeDown => {
            db.query(
                BY_CHANGE_DOWN,
                &[title, &author, &limit, &from_end, &last_change],
            )
            .await
        }
    };
    rows?.iter().map(read).collect()
}

/// The note of an id.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn find(db: &TenantDb, id: NoteId) -> Result<Note, Error> {
    let row = db.query_opt(FIND, &[&id.0]).await?.ok_or(Error::NotFound)?;
    read(&row)
}

/// Files a note under its author, if the plan has room.
///
/// # Errors
/// `Quota` when it has not.
pub(crate) async fn insert(
    db: &TenantDb,
    author: Option<UserId>,
    title: &str,
    body: &str,
    now: OffsetDateTime,
) -> Result<Note, Error> {
    let author = author.as_ref().map(UserId::as_uuid);
    let limit = db.tenant().plan.max_notes.map(i64::from);
    match db
        .query_opt(INSERT, &[&author, &title, &body, &now, &limit])
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

/// Changes a note whose version is one of `versions`. `None` when there is no such note.
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
        title: row.try_get(2)?,
        body: row.try_get(3)?,
        version: row.try_get(4)?,
        created_at: row.try_get(5)?,
        updated_at: row.try_get(6)?,
    })
}
