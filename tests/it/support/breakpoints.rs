//! Pauses store operations at the points named in `store/points.rs`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use caleida::{
    delivery::Wake,
    store::{Observer, Store},
};
use tokio::sync::watch;

use super::receiver::Latch;

/// Name of a point inside the store.
pub type Point = &'static str;

/// The breakpoints of a store, and how often operations have passed each point.
#[derive(Default)]
pub struct Breakpoints {
    set: Mutex<HashMap<Point, Breakpoint>>,
    passed: watch::Sender<HashMap<Point, usize>>,
}

/// Blocks every operation that reaches it until it is released. Clones share the same state.
#[derive(Clone)]
pub struct Breakpoint {
    reached: Arc<watch::Sender<usize>>,
    latch: Latch,
}

impl Breakpoint {
    pub fn new() -> Self {
        Self {
            reached: Arc::default(),
            latch: Latch::closed(),
        }
    }

    /// Waits until an operation is blocked here.
    pub async fn reached(&self) {
        let mut count = self.reached.subscribe();
        let reached = count.wait_for(|count| *count > 0);
        let _ = tokio::time::timeout(Duration::from_secs(10), reached)
            .await
            .expect("the breakpoint was not reached");
    }

    pub fn release(&self) {
        self.latch.open();
    }

    /// Blocks the caller until the breakpoint is released.
    pub async fn block(&self) {
        self.reached.send_modify(|count| *count += 1);
        self.latch.opened().await;
    }
}

impl Breakpoints {
    /// Observes the store.
    pub fn install(store: &Store) -> Arc<Self> {
        let breakpoints = Arc::new(Self::default());
        store.observe(Arc::clone(&breakpoints) as _);
        breakpoints
    }

    pub fn set(&self, point: Point) -> Breakpoint {
        let breakpoint = Breakpoint::new();
        self.set.lock().unwrap().insert(point, breakpoint.clone());
        breakpoint
    }

    /// Waits until the scheduler has completed a claim that began after this call, and handed off what it found.
    pub async fn wait_for_claim(&self, wake: &Wake) {
        const CLAIMED: Point = "claim_due: committed";
        let passed = self.passed(CLAIMED);
        // The first claim may have begun before. After the third, the second has been handed off.
        for count in 1..=3 {
            wake.notify();
            self.wait_until_passed(CLAIMED, passed + count).await;
        }
    }

    fn passed(&self, point: Point) -> usize {
        self.passed.borrow().get(point).copied().unwrap_or_default()
    }

    pub async fn wait_until_passed(&self, point: Point, count: usize) {
        let mut passed = self.passed.subscribe();
        let reached = passed.wait_for(|passed| passed.get(point).is_some_and(|passed| *passed >= count));
        let _ = tokio::time::timeout(Duration::from_secs(10), reached)
            .await
            .unwrap_or_else(|_| panic!("{point} was not passed {count} times"));
    }
}

#[async_trait]
impl Observer for Breakpoints {
    async fn reached(&self, point: &'static str) {
        let breakpoint = self.set.lock().unwrap().get(point).cloned();
        if let Some(breakpoint) = breakpoint {
            breakpoint.block().await;
        }
        self.passed
            .send_modify(|passed| *passed.entry(point).or_default() += 1);
    }
}
