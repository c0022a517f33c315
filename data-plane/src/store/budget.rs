//! Pages that end early by their bytes, cut in PostgreSQL: rows beyond the budget never leave it.

/// The bytes of a page: 256 KiB.
const BUDGET: i64 = 262_144;

/// Whether so many items are within the budget whatever is in them, so that nothing has to be counted.
pub(super) const fn fits(items: i64, max_item_bytes: i64) -> bool {
    items.saturating_mul(max_item_bytes) <= BUDGET
}

/// A page's rows, as many as have 262,144 bytes (256 KiB) together, and at least one. `$rows`
/// selects at most one more than the page may have, `$order` is their order, `$bytes` what one of
/// them takes. Each row has `total` beside it: how many rows `$rows` found, so that whoever gets
/// fewer knows that the list goes on.
macro_rules! within_budget {
    ($columns:expr, $bytes:expr, $rows:expr, $order:expr) => {
        concat!(
            "SELECT ",
            $columns,
            ", total FROM (SELECT found.*, count(*) OVER () AS total, ",
            "row_number() OVER (ORDER BY ",
            $order,
            ") AS place, sum(",
            $bytes,
            ") OVER (ORDER BY ",
            $order,
            " ROWS UNBOUNDED PRECEDING) AS bytes FROM (",
            $rows,
            ") found) counted ",
            "WHERE bytes <= 262144 OR place = 1 ORDER BY ",
            $order
        )
    };
}
pub(super) use within_budget;

use tokio_postgres::Row;

use crate::error::Error;

/// The rows of a page, and whether the list goes on behind them.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) goes_on: bool,
}

impl<T> Page<T> {
    /// Reads the rows of a statement made by [`within_budget!`] that was asked for one row more than
    /// `limit`.
    ///
    /// # Errors
    /// Those of `read`.
    pub(super) fn read(
        rows: &[Row],
        limit: i64,
        read: impl Fn(&Row) -> Result<T, Error>,
    ) -> Result<Self, Error> {
        let total: i64 = rows.first().map_or(Ok(0), |row| row.try_get("total"))?;
        let found = usize::try_from(total).unwrap_or(usize::MAX);
        Self::of(rows, found, limit, read)
    }

    /// The same of a statement whose rows [`fits`], so that all that were found are here.
    ///
    /// # Errors
    /// Those of `read`.
    pub(super) fn read_whole(
        rows: &[Row],
        limit: i64,
        read: impl Fn(&Row) -> Result<T, Error>,
    ) -> Result<Self, Error> {
        Self::of(rows, rows.len(), limit, read)
    }

    fn of(
        rows: &[Row],
        found: usize,
        limit: i64,
        read: impl Fn(&Row) -> Result<T, Error>,
    ) -> Result<Self, Error> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let items: Vec<T> = rows
            .iter()
            .take(limit)
            .map(read)
            .collect::<Result<_, _>>()?;
        let goes_on = found > items.len();
        Ok(Self { items, goes_on })
    }
}
