//! Recoveries: resending the deliveries that a webhook missed.

use super::{Actor, Webhooks};
use crate::{
    domain::{RecoveryId, WebhookId},
    store::{RecoveryPreview, RecoveryRange, RecoveryStart, StoreError},
};

impl Webhooks {
    pub async fn preview_recovery(
        &self,
        actor: &Actor,
        id: &WebhookId,
        range: RecoveryRange,
    ) -> Result<RecoveryPreview, StoreError> {
        self.store.of(&actor.account_id).preview_recovery(id, range).await
    }

    /// Starts a recovery in the background. Returns its id and whether it was started.
    pub async fn recover(
        &self,
        actor: &Actor,
        id: &WebhookId,
        range: RecoveryRange,
    ) -> Result<(RecoveryId, RecoveryStart), StoreError> {
        let recovery = RecoveryId::generate(self.now());
        let change = self.change(actor, id.clone());
        let started = self.store.start_recovery(&recovery, &change, range).await?;
        Ok((recovery, started))
    }

    /// Cancels a running recovery. Returns `false` if it is not running.
    pub async fn cancel_recovery(
        &self,
        actor: &Actor,
        id: &WebhookId,
        recovery: &RecoveryId,
    ) -> Result<bool, StoreError> {
        let change = self.change(actor, id.clone());
        self.store.cancel_recovery(recovery, &change).await
    }
}
