//! Flash messages: stored in the session, shown once by the next page.

use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use crate::domain::{Webhook, WebhookId};

const KEY: &str = "flash";

/// A message and the webhook whose row is highlighted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Flash {
    pub message: String,
    pub webhook: Option<WebhookId>,
}

impl Flash {
    /// `Webhook “Orders” saved.`
    pub fn webhook(webhook: &Webhook, action: &str) -> Self {
        Self {
            message: format!("Webhook “{}” {action}.", webhook.settings.name),
            webhook: Some(webhook.id.clone()),
        }
    }

    pub fn message(message: String) -> Self {
        Self {
            message,
            webhook: None,
        }
    }

    /// Stores the message for the next page. Only logs a failure, because the change is already made.
    pub async fn store(self, session: &Session) {
        if let Err(error) = session.insert(KEY, self).await {
            tracing::warn!(%error, "failed to store a flash message");
        }
    }

    /// Removes the message from the session and returns it.
    pub async fn take(session: &Session) -> Option<Self> {
        // Reads before it removes: a removal marks the session as changed and costs a write.
        let flash = session.get(KEY).await.ok().flatten()?;
        if let Err(error) = session.remove_value(KEY).await {
            tracing::warn!(%error, "failed to delete a flash message");
        }
        flash
    }
}
