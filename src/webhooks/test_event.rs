//! Trying a webhook out.

use super::{Actor, Webhooks};
use crate::{
    delivery::tester::{Test, TestError},
    domain::{EventType, WebhookId},
};

impl Webhooks {
    /// Sends a sample event at once, also if the webhook is paused or disabled, and tells all that was seen.
    pub async fn test(
        &self,
        actor: &Actor,
        id: &WebhookId,
        event_type: EventType,
    ) -> Result<Test, TestError> {
        let webhook = self.store.webhook(&actor.account_id, id).await;
        let webhook = webhook.map_err(crate::delivery::gate::GateError::from)?;
        webhook.ok_or(TestError::NotFound)?;
        self.tester.test(&actor.account_id, id, event_type).await
    }
}
