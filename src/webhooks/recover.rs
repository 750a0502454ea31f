//! Sending what a webhook has missed.

use super::{Actor, Webhooks};
use crate::{
    domain::{RecoveryId, WebhookId},
    store::{RecoveryPreview, RecoveryRange, Started, StoreError},
};

impl Webhooks {
    pub async fn preview_recovery(
        &self,
        actor: &Actor,
        id: &WebhookId,
        wanted: RecoveryRange,
    ) -> Result<RecoveryPreview, StoreError> {
        self.store
            .of(&actor.account_id)
            .preview_recovery(id, wanted)
            .await
    }

    /// Begins to make it due, in the background. Also answers the id under which that runs, if it does.
    pub async fn recover(
        &self,
        actor: &Actor,
        id: &WebhookId,
        wanted: RecoveryRange,
    ) -> Result<(RecoveryId, Started), StoreError> {
        let recovery = RecoveryId::generate(self.now());
        let change = self.change(actor, id.clone());
        let started = self.store.start_recovery(&recovery, &change, wanted).await?;
        Ok((recovery, started))
    }

    /// Stops it where it is. False if it does not run.
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
