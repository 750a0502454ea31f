//! Sending again what was sent before, or was not.

use super::{Actor, Webhooks};
use crate::{
    domain::DeliveryId,
    store::{Resent, StoreError},
};

impl Webhooks {
    /// Makes a delivery due at once, whatever became of it, with the whole schedule before it. `None`: there is no such
    /// delivery.
    pub async fn resend(&self, actor: &Actor, id: &DeliveryId) -> Result<Option<Resent>, StoreError> {
        let resent = self.store.resend_delivery(actor, id, self.now()).await?;
        if resent == Some(Resent::Due) {
            self.wake.ring();
            self.cluster.notify_others();
        }
        Ok(resent)
    }
}
