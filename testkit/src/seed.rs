//! Randomness that can be run again.

use service::Entropy;

/// The variable that names the seed of a run to repeat.
pub const SEED: &str = "TEST_SEED";

/// A random generator whose seed is printed: the runner shows it when the test fails.
#[must_use]
#[allow(clippy::print_stdout, reason = "for whoever has to repeat a failure")]
pub fn printed() -> Entropy {
    let given = std::env::var(SEED).ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| u64::from_be_bytes(Entropy::system().unwrap().bytes()));
    println!("{SEED}={seed}");
    Entropy::seeded(seed)
}
