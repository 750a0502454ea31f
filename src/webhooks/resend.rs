//! Resending a single delivery.

use super::{Actor, Webhooks};
use crate::{
    domain::DeliveryId,
    store::{ResendOutcome, StoreError},
};

impl Webhooks {
    /// Makes a delivery due immediately, whatever its status, and restarts its retry schedule. Returns `None` if there
    /// is no such delivery.
    pub async fn resend(&self, actor: &Actor, id: &DeliveryId) -> Result<Option<ResendOutcome>, StoreError> {
        let resent = self.store.resend_delivery(actor, id, self.now()).await?;
        if resent == Some(ResendOutcome::Due) {
            self.wake.notify();
            self.cluster.notify_others();
        }
        Ok(resent)
    }
}
