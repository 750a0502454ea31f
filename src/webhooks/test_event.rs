//! Test events.

use serde_json::json;

use super::{Actor, Webhooks};
use crate::{
    delivery::{
        gate::GateError,
        tester::{TestError, TestResult},
    },
    domain::{AuditAction, EventType, WebhookId},
    store::AuditEvent,
};

impl Webhooks {
    /// Sends a sample event immediately, even if the webhook is paused or disabled, and returns the result.
    pub async fn test(
        &self,
        actor: &Actor,
        id: &WebhookId,
        event_type: EventType,
    ) -> Result<TestResult, TestError> {
        let webhook = self.store.of(&actor.account_id).webhook(id).await;
        let webhook = webhook.map_err(GateError::from)?;
        webhook.ok_or(TestError::NotFound)?;
        // Recorded before sending, so that a test that is interrupted is in the audit log too.
        let details = json!({ "type": event_type.as_str() });
        let audit_event =
            AuditEvent::new(actor, AuditAction::WebhookTested, id.as_str(), self.now()).with(details);
        let recorded = self.store.record_audit_event(&audit_event).await;
        recorded.map_err(GateError::from)?;
        self.tester.test(&actor.account_id, id, event_type).await
    }
}
