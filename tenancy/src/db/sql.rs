//! Statements, known when the program is built.

/// A statement's text. Only [`statements!`](crate::statements) makes one, from a literal, so that
/// no text from outside can become SQL, and so that a test can prepare them all.
#[derive(Clone, Copy, Debug)]
pub struct Sql(&'static str);

impl Sql {
    #[doc(hidden)]
    #[must_use]
    pub const fn from_literal(text: &'static str) -> Self {
        Self(text)
    }

    /// The statement itself.
    #[must_use]
    pub const fn text(self) -> &'static str {
        self.0
    }

    /// Whether it changes nothing, so that running it twice does no harm. A function that is called
    /// without a table may change something.
    pub(crate) fn only_reads(self) -> bool {
        self.0.starts_with("SELECT ") && self.0.contains(" FROM ")
    }

    /// What a transaction of this statement alone wants a connection for.
    pub(crate) fn access(self) -> Access {
        if self.only_reads() {
            Access::Read
        } else {
            Access::Write
        }
    }

    /// Tells statements apart without reading them: a literal lies where it lies.
    pub(crate) fn key(self) -> (usize, usize) {
        (self.0.as_ptr().addr(), self.0.len())
    }
}

/// What a connection is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// One statement that only reads: a processor's work, and soon done.
    Read,
    /// What may change rows, and then waits for the disk.
    Write,
}

/// Declares a module's statements as constants, and all of them as `STATEMENTS`.
///
/// ```
/// tenancy::statements! {
///     FIND = "SELECT title FROM notes WHERE id = $1";
///     REMOVE = "DELETE FROM notes WHERE id = $1";
/// }
/// assert_eq!(STATEMENTS.len(), 2);
/// assert!(FIND.text().starts_with("SELECT"));
/// # assert!(REMOVE.text().starts_with("DELETE"));
/// ```
#[macro_export]
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)+) => {
        $($(#[$doc])* const $name: $crate::Sql = $crate::Sql::from_literal($text);)+
        /// All statements of this module, by name.
        #[allow(dead_code, reason = "read by the test that prepares every statement")]
        pub(crate) const STATEMENTS: &[(&str, $crate::Sql)] = &[$((stringify!($name), $name),)+];
    };
}
