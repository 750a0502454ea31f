//! The system clock, the only place that reads the time, and its adjustment to the database server's clock.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::domain::{Clock, Timestamp};

pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the only place that reads the time")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock adjusted to the database server's clock. All processes read leases and schedules that other machines wrote,
/// so their clocks must agree.
pub struct SyncedClock<C> {
    system: C,
    /// Milliseconds added to the system clock.
    offset_ms: AtomicI64,
}

/// Differences up to this are ignored: a clock that jumps is worse than one that is slightly off.
const TOLERANCE: Duration = Duration::from_millis(250);

impl<C> SyncedClock<C> {
    pub fn new(system: C) -> Self {
        Self {
            system,
            offset_ms: AtomicI64::new(0),
        }
    }
}

impl<C: Clock> Clock for SyncedClock<C> {
    fn now(&self) -> Timestamp {
        let offset = self.offset_ms.load(Ordering::Relaxed);
        Timestamp::from_millis(self.system.now().as_millis().saturating_add(offset))
    }

    fn adjust(&self, reference: Timestamp, uncertainty: Duration) {
        let difference = reference.as_millis().saturating_sub(self.now().as_millis());
        let tolerance = (TOLERANCE + uncertainty).as_millis();
        if u128::from(difference.unsigned_abs()) <= tolerance {
            return;
        }
        tracing::warn!(
            off_ms = difference,
            "clock differs from the database server, adjusted"
        );
        self.offset_ms.fetch_add(difference, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct FixedClock;

    impl Clock for FixedClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(1_000_000)
        }
    }

    #[test]
    fn adjusts_only_differences_above_tolerance_and_uncertainty() {
        let clock = SyncedClock::new(FixedClock);
        let reference = Timestamp::from_millis(1_060_000);
        clock.adjust(reference, Duration::from_millis(5));
        assert_eq!(clock.now(), reference);
        clock.adjust(Timestamp::from_millis(1_060_200), Duration::ZERO);
        assert_eq!(clock.now(), reference);
        clock.adjust(Timestamp::from_millis(1_061_000), Duration::from_secs(1));
        assert_eq!(clock.now(), reference);
        clock.adjust(Timestamp::from_millis(940_000), Duration::ZERO);
        assert_eq!(clock.now(), Timestamp::from_millis(940_000));
    }
}
