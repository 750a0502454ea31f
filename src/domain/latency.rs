//! Histogram of response times that can be summed over periods.

use std::{collections::BTreeMap, time::Duration};

/// Number of buckets per doubling of the latency.
const BUCKETS_PER_DOUBLING: f64 = 4.0;

/// Maximum latency that is distinguished: one hour. The minimum is one millisecond.
const MAX_MILLIS: f64 = 3_600_000.0;

/// Number of responses per bucket. Bucket `n` is around 2^(n/4) milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Latencies(BTreeMap<i64, u64>);

impl Latencies {
    /// Returns the bucket of a latency.
    pub fn bucket(latency: Duration) -> i64 {
        let millis = (latency.as_secs_f64() * 1_000.0).clamp(1.0, MAX_MILLIS);
        // At most 88, by the bounds above.
        #[expect(clippy::cast_possible_truncation, reason = "a small number")]
        let bucket = (millis.log2() * BUCKETS_PER_DOUBLING).round() as i64;
        bucket
    }

    /// Adds responses to a bucket.
    pub fn add(&mut self, bucket: i64, count: u64) {
        *self.0.entry(bucket).or_default() += count;
    }

    /// Returns a percentile of the latencies, accurate to about 10 %, or `None` if there are no responses.
    pub fn percentile(&self, percent: u64) -> Option<Duration> {
        let total: u64 = self.0.values().sum();
        let rank = (total * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let (&bucket, _) = self.0.iter().find(|(_, count)| {
            seen += **count;
            seen >= rank
        })?;
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let millis = (bucket as f64 / BUCKETS_PER_DOUBLING).exp2();
        Some(Duration::from_secs_f64(millis / 1_000.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_accurate_to_ten_percent() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile(50), None);
        for millis in 1..=1_000 {
            latencies.add(Latencies::bucket(Duration::from_millis(millis)), 1);
        }
        for (percent, exact) in [(50, 500.0), (95, 950.0), (100, 1_000.0)] {
            let estimate = latencies.percentile(percent).unwrap().as_secs_f64() * 1_000.0;
            assert!(
                (estimate / exact - 1.0_f64).abs() < 0.1,
                "{percent} %: {estimate} ms"
            );
        }
        assert_eq!(Latencies::bucket(Duration::ZERO), 0);
        assert_eq!(
            Latencies::bucket(Duration::from_secs(1_000_000)),
            Latencies::bucket(Duration::from_secs(3_600))
        );
    }
}
