//! Trying a webhook out.

use serde_json::json;

use super::{Actor, Webhooks};
use crate::{
    delivery::{
        gate::GateError,
        tester::{Test, TestError},
    },
    domain::{AuditAction, EventType, WebhookId},
    store::AuditEvent,
};

impl Webhooks {
    /// Sends a sample event at once, also if the webhook is paused or disabled, and tells all that was seen.
    pub async fn test(
        &self,
        actor: &Actor,
        id: &WebhookId,
        event_type: EventType,
    ) -> Result<Test, TestError> {
        let webhook = self.store.of(&actor.account_id).webhook(id).await;
        let webhook = webhook.map_err(GateError::from)?;
        webhook.ok_or(TestError::NotFound)?;
        // Before anything is sent: a test that nobody hears the end of was one all the same.
        let details = json!({ "type": event_type.as_str() });
        let audit_event =
            AuditEvent::new(actor, AuditAction::WebhookTested, id.as_str(), self.now()).with(details);
        let recorded = self.store.record_audit_event(&audit_event).await;
        recorded.map_err(GateError::from)?;
        self.tester.test(&actor.account_id, id, event_type).await
    }
}
