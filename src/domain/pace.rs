//! The pace of calls under a rate limit: the generic cell rate algorithm, as a pure function.
//!
//! All processes share one time per webhook: the earliest time of the next call. Each call moves it by the interval of
//! the limit. Unused calls are kept for a moment only, so that bursts are smoothed.

use std::time::Duration;

use super::{Timestamp, delivery_settings::RateLimit};

/// The state of a webhook's pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    limit: RateLimit,
    /// Earliest time of the next call, in microseconds since 1970.
    free_at: i64,
}

/// Time after which unused calls expire. In any second there are at most a tenth more calls than the limit, and at least
/// one more.
const MEMORY: Duration = Duration::from_millis(100);

impl Pace {
    pub fn new(limit: RateLimit, free_at: i64) -> Self {
        Self { limit, free_at }
    }

    /// Returns the number of calls that may start now.
    pub fn available(self, now: Timestamp) -> usize {
        let elapsed = micros(now) - self.start(now);
        if elapsed < 0 {
            return 0;
        }
        usize::try_from(elapsed / self.interval() + 1).unwrap_or(usize::MAX)
    }

    /// Returns the earliest time of the next call after these calls, in microseconds since 1970.
    pub fn after(self, now: Timestamp, calls: usize) -> i64 {
        let calls = i64::try_from(calls).unwrap_or(i64::MAX);
        self.start(now)
            .saturating_add(self.interval().saturating_mul(calls))
    }

    /// Returns the time from which unused calls count.
    fn start(self, now: Timestamp) -> i64 {
        let (now, interval) = (micros(now), self.interval());
        let memory = length(MEMORY);
        let kept = (memory - interval).max(interval.min(memory) / 2);
        // It is further ahead only if the limit was raised or a clock was set back.
        self.free_at.clamp(now - kept, now + interval)
    }

    fn interval(self) -> i64 {
        length(self.limit.interval())
    }
}

fn micros(at: Timestamp) -> i64 {
    at.as_millis().saturating_mul(1_000)
}

fn length(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_795_428_000_000;

    /// Returns the times of calls in milliseconds, if as many as possible are made every `step`.
    fn calls(limit: i64, step: i64, duration: i64) -> Vec<i64> {
        let limit = RateLimit::try_from(limit).unwrap();
        let (mut free_at, mut calls) = (0, Vec::new());
        for at in (0..duration).step_by(usize::try_from(step).unwrap()) {
            let now = Timestamp::from_millis(START + at);
            let pace = Pace::new(limit, free_at);
            let available = pace.available(now);
            free_at = pace.after(now, available);
            calls.extend(std::iter::repeat_n(at, available));
        }
        calls
    }

    #[test]
    fn rate_is_kept_in_every_second_and_reached() {
        for (limit, step) in [
            (1, 7),
            (3, 25),
            (10, 1),
            (10, 33),
            (15, 5),
            (50, 20),
            (300, 21),
            (1000, 5),
            (1000, 33),
        ] {
            let calls = calls(limit, step, 20_000);
            let most = (0..20_000).step_by(50).map(|from| {
                let in_second = calls.iter().filter(|at| (from..from + 1_000).contains(*at));
                in_second.count()
            });
            let most = i64::try_from(most.max().unwrap()).unwrap();
            assert!(
                most <= limit + (limit / 10).max(1),
                "{limit} per second, every {step} ms: {most}"
            );
            let total = i64::try_from(calls.len()).unwrap();
            assert!(
                (limit * 20 - 1..=limit * 20 + (limit / 10).max(1)).contains(&total),
                "{limit}, {step}: {total}"
            );
        }
    }

    #[test]
    fn idle_time_earns_no_burst() {
        for (limit, burst) in [(1, 1), (10, 1), (20, 2), (100, 10), (1000, 100)] {
            let pace = Pace::new(RateLimit::try_from(limit).unwrap(), 0);
            let now = Timestamp::from_millis(START);
            assert_eq!(pace.available(now), burst, "{limit}");
            let exhausted = Pace::new(RateLimit::try_from(limit).unwrap(), pace.after(now, burst));
            assert_eq!(exhausted.available(now), 0, "{limit}");
            assert_eq!(pace.after(now, 0), pace.start(now));
        }
    }

    #[test]
    fn raised_limit_and_clock_that_was_set_back_take_effect_at_once() {
        let now = Timestamp::from_millis(START);
        let far = micros(now) + 3_600_000_000;
        let pace = Pace::new(RateLimit::try_from(10).unwrap(), far);
        assert_eq!(pace.available(now), 0);
        let next = Pace::new(RateLimit::try_from(10).unwrap(), pace.after(now, 0));
        assert_eq!(next.available(Timestamp::from_millis(START + 100)), 1);
    }
}
