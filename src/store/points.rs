//! Named fail points in the store, at which a test can wait or end the process.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;

/// Observes fail points. The operation continues when `reached` returns.
#[async_trait]
pub trait Observer: Send + Sync {
    async fn reached(&self, point: &'static str);
}

#[derive(Default)]
pub(super) struct Points(OnceLock<Arc<dyn Observer>>);

impl Points {
    /// Observes fail points from now on. Has no effect in release builds.
    pub(super) fn observe(&self, observer: Arc<dyn Observer>) {
        let _ = self.0.set(observer);
    }

    pub(super) async fn reached(&self, point: &'static str) {
        #[cfg(debug_assertions)]
        if let Some(observer) = self.0.get() {
            observer.reached(point).await;
        }
        #[cfg(not(debug_assertions))]
        let _ = point;
    }
}
