//! A message that the next page shows once.

use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use crate::domain::{Webhook, WebhookId};

const KEY: &str = "flash";

/// What has just been done, and to which webhook: its row is highlighted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Flash {
    pub message: String,
    pub webhook: Option<WebhookId>,
}

impl Flash {
    /// `Webhook “Orders” saved.`
    pub fn done(webhook: &Webhook, what: &str) -> Self {
        Self {
            message: format!("Webhook “{}” {what}.", webhook.name),
            webhook: Some(webhook.id.clone()),
        }
    }

    pub fn plain(message: String) -> Self {
        Self {
            message,
            webhook: None,
        }
    }

    /// Leaves the message for the next page. Without a session it is lost, but what it tells of has happened.
    pub async fn leave(self, session: &Session) {
        if let Err(error) = session.insert(KEY, self).await {
            tracing::warn!(%error, "failed to store a flash message");
        }
    }

    pub async fn take(session: &Session) -> Option<Self> {
        // Taking marks the session as changed, which costs a write: look first.
        let flash = session.get(KEY).await.ok().flatten()?;
        if let Err(error) = session.remove_value(KEY).await {
            tracing::warn!(%error, "failed to delete a flash message");
        }
        flash
    }
}
