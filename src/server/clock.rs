//! The system's clock: the only caller of `now()`.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::domain::{Clock, Timestamp};

pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the present moment comes from"
    )]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The system's clock, corrected by what the processes of one database go by: leases and schedules that one machine
/// writes are read by another, whose clock may be a minute off.
pub struct CommonClock<C> {
    system: C,
    /// Milliseconds to add.
    behind: AtomicI64,
}

/// A smaller difference is left as it is: time that jumps to and fro is worse than time that is a little late.
const TOLERANCE: Duration = Duration::from_millis(250);

impl<C> CommonClock<C> {
    pub fn new(system: C) -> Self {
        Self {
            system,
            behind: AtomicI64::new(0),
        }
    }
}

impl<C: Clock> Clock for CommonClock<C> {
    fn now(&self) -> Timestamp {
        let behind = self.behind.load(Ordering::Relaxed);
        Timestamp::from_millis(self.system.now().as_millis().saturating_add(behind))
    }

    fn adjust(&self, common: Timestamp, uncertainty: Duration) {
        let off = common.as_millis().saturating_sub(self.now().as_millis());
        let tolerance = (TOLERANCE + uncertainty).as_millis();
        if u128::from(off.unsigned_abs()) <= tolerance {
            return;
        }
        tracing::warn!(off_ms = off, "clock differs from the database server, adjusted");
        self.behind.fetch_add(off, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(1_000_000)
        }
    }

    #[test]
    fn it_follows_what_all_go_by_unless_the_difference_may_be_none() {
        let clock = CommonClock::new(Still);
        let common = Timestamp::from_millis(1_060_000);
        clock.adjust(common, Duration::from_millis(5));
        assert_eq!(clock.now(), common);
        clock.adjust(Timestamp::from_millis(1_060_200), Duration::ZERO);
        assert_eq!(clock.now(), common);
        clock.adjust(Timestamp::from_millis(1_061_000), Duration::from_secs(1));
        assert_eq!(clock.now(), common);
        clock.adjust(Timestamp::from_millis(940_000), Duration::ZERO);
        assert_eq!(clock.now(), Timestamp::from_millis(940_000));
    }
}
