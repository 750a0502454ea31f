//! A clock that advances only when a test says so.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use caleida::domain::{Clock, Timestamp};

pub struct TestClock(AtomicI64);

impl TestClock {
    /// 2026-11-23T10:00:00Z
    pub const START: Timestamp = Timestamp::from_millis(1_795_428_000_000);

    pub fn new() -> Self {
        Self(AtomicI64::new(Self::START.as_millis()))
    }

    pub fn advance(&self, by: Duration) {
        self.0
            .fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
