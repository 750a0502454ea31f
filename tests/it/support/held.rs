//! Makes the store wait where a test wants it to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use caleida::store::{Observer, Store};
use tokio::sync::watch;

use super::receiver::Gate;

/// A place inside the store, see `store/points.rs`.
pub type Point = &'static str;

/// The places at which a store waits.
#[derive(Default)]
pub struct Holds(Mutex<HashMap<Point, Hold>>);

/// A point at which everybody waits until it is released. Clones are the same one.
#[derive(Clone)]
pub struct Hold {
    reached: Arc<watch::Sender<usize>>,
    gate: Gate,
}

impl Hold {
    pub fn new() -> Self {
        Self {
            reached: Arc::default(),
            gate: Gate::closed(),
        }
    }

    /// Waits until somebody waits here.
    pub async fn reached(&self) {
        let mut count = self.reached.subscribe();
        let reached = count.wait_for(|count| *count > 0);
        let _ = tokio::time::timeout(Duration::from_secs(10), reached)
            .await
            .expect("nobody came by");
    }

    pub fn release(&self) {
        self.gate.open();
    }

    pub async fn pass(&self) {
        self.reached.send_modify(|count| *count += 1);
        self.gate.passed().await;
    }
}

impl Holds {
    pub fn of(store: &Store) -> Arc<Self> {
        let holds = Arc::new(Self::default());
        store.observe(Arc::clone(&holds) as _);
        holds
    }

    pub fn hold(&self, point: Point) -> Hold {
        let hold = Hold::new();
        self.0.lock().unwrap().insert(point, hold.clone());
        hold
    }
}

#[async_trait]
impl Observer for Holds {
    async fn reached(&self, point: &'static str) {
        let hold = self.0.lock().unwrap().get(point).cloned();
        if let Some(hold) = hold {
            hold.pass().await;
        }
    }
}
