//! Pages of notes, in any order, with an excerpt of each.

use serde::{Deserialize, Serialize};
use tenancy::{Sql, TenantDb, db::Params};
use time::OffsetDateTime;
use tokio_postgres::Row;
use utoipa::ToSchema;

use crate::{
    error::Error,
    ids::{NoteId, UserId},
    page::Moment,
    store::budget::{Page, fits, within_budget},
};

/// What a note takes in a page at most: title and excerpt in characters of four bytes, and the rest.
const MAX_ITEM_BYTES: i64 = 200 * 4 + 200 * 4 + 300;

/// A page in one order. A condition of a filter that is not used costs nothing worth measuring. `left`
/// counts characters, which a body that is short in bytes already is spared.
macro_rules! rows {
    ($start:literal, $order:literal) => {
        concat!(
            "SELECT id, author_id, client_id, title, ",
            "CASE WHEN octet_length(body) <= 200 THEN body ELSE left(body, 200) END AS excerpt, ",
            "version, created_at, updated_at FROM notes WHERE ($1::text IS NULL OR position(lower($1) IN lower(title)) > 0) ",
            "AND ($2::uuid IS NULL OR author_id = $2) AND ",
            $start,
            " ORDER BY ",
            $order,
            " LIMIT $3"
        )
    };
}

/// A page that fits into the budget whatever is in it.
macro_rules! short {
    ($start:literal, $order:literal) => {
        rows!($start, $order)
    };
}

/// A page that may have to be cut.
macro_rules! long {
    ($start:literal, $order:literal) => {
        within_budget!(
            "id, author_id, client_id, title, excerpt, version, created_at, updated_at",
            "octet_length(title) + octet_length(excerpt) + 300",
            rows!($start, $order),
            $order
        )
    };
}

macro_rules! pages {
    ($($short:ident, $long:ident = $start:literal, $order:literal;)+) => {
        tenancy::statements! {
            $($short = short!($start, $order); $long = long!($start, $order);)+
        }
    };
}

pages! {
    NEWEST_SHORT, NEWEST_LONG = "id < $4", "id DESC";
    OLDEST_SHORT, OLDEST_LONG = "id > $4", "id";
    BY_TITLE_SHORT, BY_TITLE_LONG =
        "($5::text IS NULL OR (title, id) > ($5, $4))", "title, id";
    BY_TITLE_DOWN_SHORT, BY_TITLE_DOWN_LONG =
        "($5::text IS NULL OR (title, id) < ($5, $4))", "title DESC, id DESC";
    BY_CHANGE_SHORT, BY_CHANGE_LONG =
        "($5::timestamptz IS NULL OR (updated_at, id) > ($5, $4))", "updated_at, id";
    BY_CHANGE_DOWN_SHORT, BY_CHANGE_DOWN_LONG =
        "($5::timestamptz IS NULL OR (updated_at, id) < ($5, $4))", "updated_at DESC, id DESC";
}

pub(crate) const NEWEST: Sql = NEWEST_SHORT;

/// A note in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct NoteSummary {
    /// Rises with time.
    pub(crate) id: NoteId,
    /// `null` when a client wrote it for itself, or the author was removed.
    pub(crate) author_id: Option<UserId>,
    /// The client that wrote it for itself; `null` when a user wrote it.
    pub(crate) client_id: Option<String>,
    /// 1 to 200 characters.
    pub(crate) title: String,
    /// The first 200 characters of the body, which is whole at the note itself.
    pub(crate) excerpt: String,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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

    fn statement(self, is_short: bool) -> Sql {
        let (short, long) = match self {
            Self::Newest => (NEWEST_SHORT, NEWEST_LONG),
            Self::Oldest => (OLDEST_SHORT, OLDEST_LONG),
            Self::Title => (BY_TITLE_SHORT, BY_TITLE_LONG),
            Self::TitleDown => (BY_TITLE_DOWN_SHORT, BY_TITLE_DOWN_LONG),
            Self::Change => (BY_CHANGE_SHORT, BY_CHANGE_LONG),
            Self::ChangeDown => (BY_CHANGE_DOWN_SHORT, BY_CHANGE_DOWN_LONG),
        };
        if is_short { short } else { long }
    }
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
    pub(crate) fn of(note: &NoteSummary, order: Order) -> Self {
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

/// At most `limit` notes in an order, after a place.
///
/// # Errors
/// Those of the database.
pub(crate) async fn list(
    db: &TenantDb,
    filter: &Filter<'_>,
    order: Order,
    after: Option<&Place>,
    limit: i64,
) -> Result<Page<NoteSummary>, Error> {
    let Filter { title, author } = filter;
    let author = author.as_ref().map(UserId::as_uuid);
    let id = after.map(|place| place.id);
    let one_more = limit + 1;
    let (from_start, from_end) = (id.unwrap_or(i64::MIN), id.unwrap_or(i64::MAX));
    let last_title = after.and_then(|place| place.title.as_deref());
    let last_change = after.and_then(|place| place.updated_at).map(|at| at.0);
    let is_short = fits(one_more, MAX_ITEM_BYTES);
    let sql = order.statement(is_short);
    let rows = match order {
        Order::Newest => db.query(sql, &[title, &author, &one_more, &from_end]).await,
        Order::Oldest => {
            let params: Params<'_> = &[title, &author, &one_more, &from_start];
            db.query(sql, params).await
        }
        Order::Title => {
            let params: Params<'_> = &[title, &author, &one_more, &from_start, &last_title];
            db.query(sql, params).await
        }
        Order::TitleDown => {
            let params: Params<'_> = &[title, &author, &one_more, &from_end, &last_title];
            db.query(sql, params).await
        }
        Order::Change => {
            let params: Params<'_> = &[title, &author, &one_more, &from_start, &last_change];
            db.query(sql, params).await
        }
        Order::ChangeDown => {
            let params: Params<'_> = &[title, &author, &one_more, &from_end, &last_change];
            db.query(sql, params).await
        }
    };
    if is_short {
        Page::read_whole(&rows?, limit, read)
    } else {
        Page::read(&rows?, limit, read)
    }
}

fn read(row: &Row) -> Result<NoteSummary, Error> {
    Ok(NoteSummary {
        id: NoteId(row.try_get(0)?),
        author_id: row.try_get::<_, Option<_>>(1)?.map(UserId::new),
        client_id: row.try_get(2)?,
        title: row.try_get(3)?,
        excerpt: row.try_get(4)?,
        version: row.try_get(5)?,
        created_at: row.try_get(6)?,
        updated_at: row.try_get(7)?,
    })
}
