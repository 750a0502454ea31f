//! Named places inside the store at which a test can wait, or end the process.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;

/// Is told of each place that is reached, and holds the operation until it returns.
#[async_trait]
pub trait Observer: Send + Sync {
    async fn reached(&self, point: &'static str);
}

#[derive(Default)]
pub(super) struct Points(OnceLock<Arc<dyn Observer>>);

impl Points {
    /// From here on. In a release build, there is nothing to observe.
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
