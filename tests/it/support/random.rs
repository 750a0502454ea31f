//! Random delays for tests that kill processes.

use std::time::Duration;

/// Environment variable that repeats a run.
const SEED: &str = "CALEIDA_TEST_SEED";

/// A random generator that prints its seed, which `cargo test` shows if the test fails.
pub struct Random(fastrand::Rng);

impl Random {
    pub fn new() -> Self {
        let seed = match std::env::var(SEED) {
            Ok(seed) => seed.parse().expect("the seed is a number"),
            Err(_) => fastrand::u64(..),
        };
        println!("repeat with {SEED}={seed}");
        Self(fastrand::Rng::with_seed(seed))
    }

    /// Returns a duration in this range of milliseconds.
    pub fn millis(&mut self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.0.u64(range))
    }
}
