//! How often a test repeats what may go wrong only now and then.

/// The variable that says how often, whatever the tests themselves say.
pub const ROUNDS: &str = "TEST_ROUNDS";
/// The variable that, set, asks for the long run.
pub const NIGHTLY: &str = "NIGHTLY";

/// `short` rounds, `long` ones when `NIGHTLY` is set, or as many as `TEST_ROUNDS` says.
#[must_use]
pub fn rounds(short: usize, long: usize) -> usize {
    let given = std::env::var(ROUNDS)
        .ok()
        .and_then(|text| text.parse().ok());
    let usual = if std::env::var_os(NIGHTLY).is_some() {
        long
    } else {
        short
    };
    given.unwrap_or(usual)
}
