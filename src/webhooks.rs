//! What people and machines do to webhooks: add, edit, pause, resume, rotate, reveal, delete.
//!
//! The dashboard and the API both come through here, so that they cannot differ: the same parsing, the same messages,
//! secrets sealed on the way in, and the delivery engine told of every change before the change is answered.

mod recover;
mod resend;
mod test_event;

use std::{fmt, sync::Arc, time::Duration};

use tracing::Instrument;
use zeroize::Zeroizing;

pub use crate::domain::Actor;
use crate::{
    delivery::{Wake, cluster::Cluster, gate::Gate, guard::Guard, slots::Slots, tester::Tester},
    domain::{
        AuditAction, Clock, Field, FieldErrors, Secret, Timestamp, Transport, Webhook, WebhookId,
        WebhookName, WebhookSettings,
    },
    store::{
        AuditEvent, Change, Deleted, Held, NewWebhook, Removed, Store, StoreError, Unique, UpdateWebhook,
        Updated,
    },
    vault::Vault,
};

/// The operations on webhooks. Cheap to clone.
#[derive(Clone)]
pub struct Webhooks {
    pub store: Arc<Store>,
    pub vault: Arc<Vault>,
    pub gate: Arc<Gate>,
    pub slots: Slots,
    pub cluster: Cluster,
    pub tester: Tester,
    pub guard: Arc<Guard>,
    pub wake: Arc<Wake>,
    pub clock: Arc<dyn Clock>,
    pub transport: Transport,
    /// How many an account may have.
    pub at_most: u32,
}

/// The fields of a webhook as they were typed or posted.
#[derive(Clone, Default)]
pub struct Draft {
    pub url: String,
    pub name: String,
    /// Empty: generate one for a new webhook, keep the one there is when editing.
    pub secret: Zeroizing<String>,
    pub events: Vec<String>,
}

impl fmt::Debug for Draft {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            url,
            name,
            secret: _,
            events,
        } = self;
        f.debug_struct("Draft")
            .field("url", url)
            .field("name", name)
            .field("events", events)
            .finish_non_exhaustive()
    }
}

/// Why an operation on a webhook did not happen.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The fields and what is wrong with each.
    #[error("invalid fields")]
    Invalid(FieldErrors),
    /// Invalid only in that another webhook has this name.
    #[error("{}", .0.taken())]
    NameTaken(WebhookName),
    /// The account has as many as it may have.
    #[error(
        "This account has {at_most} webhooks, as many as it may have: delete one first, or have CALEIDA_MAX_WEBHOOKS raised."
    )]
    TooMany { at_most: u32 },
    /// Somebody saved it since the version that this change was made on.
    #[error("the webhook was changed by {} in the meantime", .0.updated_by)]
    Stale(Box<Webhook>),
    #[error("there is no such webhook")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secret does not open with this master key.
    #[error("a secret cannot be opened: {0}")]
    Vault(#[from] crate::vault::VaultError),
}

impl Webhooks {
    /// Adds a webhook; from then on it gets every new event that it wants. Also answers its secret, which was generated
    /// if the draft has none.
    pub async fn add(&self, actor: &Actor, draft: &Draft) -> Result<(Webhook, Secret), WebhookError> {
        let mut errors = FieldErrors::default();
        let settings = self.parse_settings(draft, &mut errors);
        let secret = if draft.secret.trim().is_empty() {
            Some(Secret::generate())
        } else {
            errors.keep(Field::Secret, Secret::parse(&draft.secret))
        };
        let (Some(settings), Some(secret)) = (settings, secret) else {
            return Err(WebhookError::Invalid(errors));
        };
        let name = settings.name.clone();
        let change = self.change(actor, WebhookId::generate(self.clock.now()));
        let sealed = self.vault.seal(&change.webhook_id, &secret);
        match self
            .store
            .insert_webhook(NewWebhook {
                change,
                settings,
                secret: sealed,
                at_most: self.at_most,
            })
            .await
        {
            Ok(webhook) => Ok((webhook, secret)),
            Err(StoreError::Conflict(Unique::WebhookName)) => Err(WebhookError::NameTaken(name)),
            Err(StoreError::Full) => Err(WebhookError::TooMany {
                at_most: self.at_most,
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Saves the settings, and the secret if the draft has one. `based_on` is the version that was edited; `None`
    /// overwrites whatever is there.
    pub async fn edit(
        &self,
        actor: &Actor,
        id: &WebhookId,
        draft: &Draft,
        based_on: Option<i64>,
    ) -> Result<Webhook, WebhookError> {
        let mut errors = FieldErrors::default();
        let settings = self.parse_settings(draft, &mut errors);
        let secret = if draft.secret.trim().is_empty() {
            None
        } else {
            errors.keep(Field::Secret, Secret::parse(&draft.secret))
        };
        let Some(settings) = settings.filter(|_| errors.is_empty()) else {
            return Err(WebhookError::Invalid(errors));
        };
        let name = settings.name.clone();
        let secret = secret.map(|secret| self.vault.seal(id, &secret));
        let update = UpdateWebhook {
            change: self.change(actor, id.clone()),
            settings,
            secret,
            based_on,
        };
        let (this, id) = (self.clone(), id.clone());
        let updated = to_the_end(async move {
            let updated = this.store.update_webhook(update).await;
            this.gate.refresh(&id);
            this.after_propagation(&id, updated).await
        });
        match updated.await? {
            Updated::Saved(webhook) => Ok(*webhook),
            Updated::Stale(current) => Err(WebhookError::Stale(current)),
            Updated::NameTaken => Err(WebhookError::NameTaken(name)),
            Updated::NotFound => Err(WebhookError::NotFound),
        }
    }

    /// Holds its events, and whatever is still to be sent, until it is resumed.
    pub async fn pause(&self, actor: &Actor, id: &WebhookId) -> Result<Webhook, WebhookError> {
        let (this, change) = (self.clone(), self.change(actor, id.clone()));
        let paused = to_the_end(async move {
            let paused = this.store.pause_webhook(&change).await;
            this.gate.refresh(&change.webhook_id);
            this.after_propagation(&change.webhook_id, paused).await
        });
        paused.await?.ok_or(WebhookError::NotFound)
    }

    /// Sends everything new, and what was held if that is wanted: at first one at a time, to see whether the receiver is
    /// well.
    pub async fn resume(&self, actor: &Actor, id: &WebhookId, held: Held) -> Result<Webhook, WebhookError> {
        let (this, change) = (self.clone(), self.change(actor, id.clone()));
        if self.store.of(&actor.account_id).webhook(id).await?.is_none() {
            return Err(WebhookError::NotFound);
        }
        let resumed = to_the_end(async move {
            // Before anything can be sent again.
            this.slots.probe(&change.webhook_id);
            let resumed = this.store.resume_webhook(&change, held).await;
            this.gate.refresh(&change.webhook_id);
            this.wake.ring();
            this.after_propagation(&change.webhook_id, resumed).await
        });
        resumed.await?.ok_or(WebhookError::NotFound)
    }

    /// Replaces the secret by a generated one; the old one signs too for `overlap`.
    pub async fn rotate(
        &self,
        actor: &Actor,
        id: &WebhookId,
        overlap: Duration,
    ) -> Result<(Webhook, Secret), WebhookError> {
        let secret = Secret::generate();
        let change = self.change(actor, id.clone());
        let until = change.at.plus(overlap.min(MAX_OVERLAP));
        let (this, sealed) = (self.clone(), self.vault.seal(id, &secret));
        let rotated = to_the_end(async move {
            let rotated = this.store.rotate_secret(&change, sealed, until).await;
            this.gate.refresh(&change.webhook_id);
            this.after_propagation(&change.webhook_id, rotated).await
        });
        rotated
            .await?
            .map(|webhook| (webhook, secret))
            .ok_or(WebhookError::NotFound)
    }

    /// The secret, for an admin's eyes; that it was looked at is written to the audit log first.
    pub async fn reveal(&self, actor: &Actor, id: &WebhookId) -> Result<Secret, WebhookError> {
        let sealed = self
            .store
            .of(&actor.account_id)
            .sealed_secrets(id)
            .await?
            .ok_or(WebhookError::NotFound)?;
        let audit_event = AuditEvent::new(actor, AuditAction::SecretRevealed, id.as_str(), self.now());
        self.store.record_audit_event(&audit_event).await?;
        Ok(self.vault.open(id, &sealed.current)?)
    }

    /// Deletes it for good. When this returns, no process has a request for it under way, and none will start one.
    pub async fn delete(
        &self,
        actor: &Actor,
        id: &WebhookId,
        based_on: Option<i64>,
    ) -> Result<Deleted, WebhookError> {
        let (this, change) = (self.clone(), self.change(actor, id.clone()));
        let removed = to_the_end(async move {
            let removed = this.store.delete_webhook(&change, based_on).await?;
            if matches!(removed, Removed::Done(_)) {
                this.gate.close(&change.webhook_id).await;
                this.slots.forget(&change.webhook_id);
            }
            this.after_propagation(&change.webhook_id, Ok(removed)).await
        });
        match removed.await? {
            Removed::Done(deleted) => Ok(deleted),
            Removed::Stale(current) => Err(WebhookError::Stale(current)),
            Removed::NotFound => Err(WebhookError::NotFound),
        }
    }

    /// Returns the result of a change once every process has applied it.
    async fn after_propagation<T>(
        &self,
        id: &WebhookId,
        done: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let done = done?;
        self.cluster.wait_until_propagated(id).await?;
        Ok(done)
    }

    fn parse_settings(&self, draft: &Draft, errors: &mut FieldErrors) -> Option<WebhookSettings> {
        let events = draft.events.iter().map(String::as_str);
        let settings = WebhookSettings::parse(&draft.url, &draft.name, events, self.transport, errors)?;
        // A name may resolve differently at every attempt, and is judged then; a written address is what it is.
        if self.guard.judge_literal(&settings.url).is_err() {
            errors.add(
                Field::Url,
                "Enter a URL with a public address: webhooks cannot call private networks.",
            );
            return None;
        }
        Some(settings)
    }

    fn change(&self, actor: &Actor, webhook_id: WebhookId) -> Change {
        Change::new(actor, webhook_id, self.now())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Runs it even if whoever asked hangs up meanwhile, which drops their request half-way: what the database says and what
/// the gate remembers must not come apart.
pub(crate) async fn to_the_end<T: Send + 'static>(change: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(change.in_current_span()).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is being shut down, and this request with it.
            Err(_) => std::future::pending().await,
        },
    }
}

/// The longest time for which a replaced secret may still sign.
pub const MAX_OVERLAP: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// For which a replaced secret signs unless told otherwise.
pub const DEFAULT_OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);
