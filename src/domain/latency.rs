//! How long receivers take, as a histogram that can be added up.

use std::{collections::BTreeMap, time::Duration};

/// Steps in which a latency doubles.
const STEPS: f64 = 4.0;

/// Nothing is told apart below a millisecond or above an hour.
const MOST: f64 = 3_600_000.0;

/// Counts of answers by how long they took, to the nearest power of 2^(1/4) milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Latencies(BTreeMap<i64, u64>);

impl Latencies {
    /// The power under which an answer is counted that took so long.
    pub fn power(took: Duration) -> i64 {
        let millis = (took.as_secs_f64() * 1_000.0).clamp(1.0, MOST);
        // At most 88, by the bounds above.
        #[expect(clippy::cast_possible_truncation, reason = "a small number")]
        let power = (millis.log2() * STEPS).round() as i64;
        power
    }

    pub fn add(&mut self, power: i64, answers: u64) {
        *self.0.entry(power).or_default() += answers;
    }

    /// The time within which so many per cent of the answers came, to about a tenth. `None`: there were none.
    pub fn percentile(&self, per_cent: u64) -> Option<Duration> {
        let all: u64 = self.0.values().sum();
        let rank = (all * per_cent).div_ceil(100).max(1);
        let mut seen = 0;
        let (&power, _) = self.0.iter().find(|(_, answers)| {
            seen += **answers;
            seen >= rank
        })?;
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let millis = (power as f64 / STEPS).exp2();
        Some(Duration::from_secs_f64(millis / 1_000.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_known_within_a_tenth() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile(50), None);
        for millis in 1..=1_000 {
            latencies.add(Latencies::power(Duration::from_millis(millis)), 1);
        }
        for (per_cent, exact) in [(50, 500.0), (95, 950.0), (100, 1_000.0)] {
            let told = latencies.percentile(per_cent).unwrap().as_secs_f64() * 1_000.0;
            assert!((told / exact - 1.0_f64).abs() < 0.1, "{per_cent} %: {told} ms");
        }
        assert_eq!(Latencies::power(Duration::ZERO), 0);
        assert_eq!(
            Latencies::power(Duration::from_secs(1_000_000)),
            Latencies::power(Duration::from_secs(3_600))
        );
    }
}
