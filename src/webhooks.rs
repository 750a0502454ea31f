//! Operations on webhooks: add, edit, pause, resume, rotate, reveal, delete.
//!
//! The dashboard and the API share them, so both validate input alike and return the same messages. Each operation
//! returns only after the change has propagated to the delivery engines of all processes.

mod preview_filter;
mod recover;
mod resend;
mod test_event;

use std::{sync::Arc, time::Duration};

use tracing::Instrument;

pub use self::preview_filter::FilterPreview;
pub use crate::domain::{Actor, WebhookDraft};
use crate::{
    delivery::{Wake, cluster::Cluster, gate::Gate, guard::Guard, slots::Slots, tester::Tester},
    domain::{
        AuditAction, Clock, Field, FieldErrors, Secret, Timestamp, Transport, Webhook, WebhookId,
        WebhookName, WebhookSettings,
        custom_header::{CustomHeaders, HeaderChanges, InvalidHeader},
    },
    store::{
        AuditEvent, Change, DeleteOutcome, DeletedWebhook, HeldAction, NewHeaders, NewWebhook, Sealed, Store,
        StoreError, Unique, UpdateOutcome, UpdateWebhook,
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
    /// Maximum number of webhooks per account.
    pub max_webhooks: u32,
}

/// Reason why an operation on a webhook failed.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// Some fields are invalid.
    #[error("invalid fields")]
    Invalid(FieldErrors),
    /// Another webhook of the account has this name.
    #[error("{}", .0.taken_message())]
    NameTaken(WebhookName),
    /// The account has the maximum number of webhooks.
    #[error(
        "This account has reached its limit of webhooks ({limit}). Delete a webhook, or raise CALEIDA_MAX_WEBHOOKS."
    )]
    LimitReached { limit: u32 },
    /// The webhook has a newer version than the one that was edited. Contains the stored webhook.
    #[error("the webhook was changed by {}", .0.updated_by)]
    Stale(Box<Webhook>),
    #[error("webhook not found")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secret cannot be decrypted with this master key.
    #[error("cannot decrypt the secret: {0}")]
    Vault(#[from] crate::vault::VaultError),
}

impl Webhooks {
    /// Adds a webhook and returns it with its secret, which is generated if the draft has none.
    pub async fn add(&self, actor: &Actor, draft: &WebhookDraft) -> Result<(Webhook, Secret), WebhookError> {
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
        let (settings, headers) = settings;
        let headers = headers
            .apply(&CustomHeaders::default())
            .map_err(invalid_headers)?;
        let name = settings.name.clone();
        let change = self.change(actor, WebhookId::generate(self.clock.now()));
        let sealed = self.vault.seal(&change.webhook_id, &secret);
        let headers = self.seal_headers(&change.webhook_id, &headers);
        match self
            .store
            .insert_webhook(NewWebhook {
                change,
                settings,
                secret: sealed,
                headers,
                max_webhooks: self.max_webhooks,
            })
            .await
        {
            Ok(webhook) => Ok((webhook, secret)),
            Err(StoreError::Conflict(Unique::WebhookName)) => Err(WebhookError::NameTaken(name)),
            Err(StoreError::LimitReached) => Err(WebhookError::LimitReached {
                limit: self.max_webhooks,
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Saves the settings, and the secret if the draft has one. `expected_version` is the version that was edited; `None`
    /// overwrites any version.
    pub async fn edit(
        &self,
        actor: &Actor,
        id: &WebhookId,
        draft: &WebhookDraft,
        expected_version: Option<i64>,
    ) -> Result<Webhook, WebhookError> {
        let mut errors = FieldErrors::default();
        let settings = self.parse_settings(draft, &mut errors);
        let secret = if draft.secret.trim().is_empty() {
            None
        } else {
            errors.keep(Field::Secret, Secret::parse(&draft.secret))
        };
        let Some((settings, headers)) = settings.filter(|_| errors.is_empty()) else {
            return Err(WebhookError::Invalid(errors));
        };
        let (headers, expected_version) = self.edit_headers(actor, id, headers, expected_version).await?;
        let name = settings.name.clone();
        let secret = secret.map(|secret| self.vault.seal(id, &secret));
        let update = UpdateWebhook {
            change: self.change(actor, id.clone()),
            settings,
            secret,
            headers,
            expected_version,
        };
        let (this, id) = (self.clone(), id.clone());
        let updated = run_detached(async move {
            let updated = this.store.update_webhook(update).await;
            this.gate.invalidate(&id);
            this.after_propagation(&id, updated).await
        });
        match updated.await? {
            UpdateOutcome::Saved(webhook) => Ok(*webhook),
            UpdateOutcome::VersionConflict(current) => Err(WebhookError::Stale(current)),
            UpdateOutcome::NameTaken => Err(WebhookError::NameTaken(name)),
            UpdateOutcome::NotFound => Err(WebhookError::NotFound),
        }
    }

    /// Holds new and pending deliveries until the webhook is resumed.
    pub async fn pause(&self, actor: &Actor, id: &WebhookId) -> Result<Webhook, WebhookError> {
        let (this, change) = (self.clone(), self.change(actor, id.clone()));
        let paused = run_detached(async move {
            let paused = this.store.pause_webhook(&change).await;
            this.gate.invalidate(&change.webhook_id);
            this.after_propagation(&change.webhook_id, paused).await
        });
        paused.await?.ok_or(WebhookError::NotFound)
    }

    /// Resumes sending. Held deliveries are sent or cancelled, depending on `held`.
    pub async fn resume(
        &self,
        actor: &Actor,
        id: &WebhookId,
        held: HeldAction,
    ) -> Result<Webhook, WebhookError> {
        let (this, change) = (self.clone(), self.change(actor, id.clone()));
        if self.store.of(&actor.account_id).webhook(id).await?.is_none() {
            return Err(WebhookError::NotFound);
        }
        let resumed = run_detached(async move {
            // Must precede the resume: the first calls test whether the receiver is healthy.
            this.slots.slow_start(&change.webhook_id);
            let resumed = this.store.resume_webhook(&change, held).await;
            this.gate.invalidate(&change.webhook_id);
            this.wake.notify();
            this.after_propagation(&change.webhook_id, resumed).await
        });
        resumed.await?.ok_or(WebhookError::NotFound)
    }

    /// Replaces the secret with a generated one. The previous secret also signs for `overlap`, at most [`MAX_OVERLAP`].
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
        let rotated = run_detached(async move {
            let rotated = this.store.rotate_secret(&change, sealed, until).await;
            this.gate.invalidate(&change.webhook_id);
            this.after_propagation(&change.webhook_id, rotated).await
        });
        rotated
            .await?
            .map(|webhook| (webhook, secret))
            .ok_or(WebhookError::NotFound)
    }

    /// Returns the secret. Records the access in the audit log first.
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

    /// Deletes the webhook. Once this returns, no process has a request to it in flight, and none starts one.
    pub async fn delete(
        &self,
        actor: &Actor,
        id: &WebhookId,
        expected_version: Option<i64>,
    ) -> Result<DeletedWebhook, WebhookError> {
        let (this, change) = (self.clone(), self.change(actor, id.clone()));
        let removed = run_detached(async move {
            let removed = this.store.delete_webhook(&change, expected_version).await?;
            if matches!(removed, DeleteOutcome::Deleted(_)) {
                this.gate.close(&change.webhook_id).await;
                this.slots.remove(&change.webhook_id);
            }
            this.after_propagation(&change.webhook_id, Ok(removed)).await
        });
        match removed.await? {
            DeleteOutcome::Deleted(deleted) => Ok(deleted),
            DeleteOutcome::VersionConflict(current) => Err(WebhookError::Stale(current)),
            DeleteOutcome::NotFound => Err(WebhookError::NotFound),
        }
    }

    /// Returns the result of a change once every process has applied it.
    async fn after_propagation<T>(
        &self,
        id: &WebhookId,
        result: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let value = result?;
        self.cluster.wait_until_propagated(id).await?;
        Ok(value)
    }

    fn parse_settings(
        &self,
        draft: &WebhookDraft,
        errors: &mut FieldErrors,
    ) -> Option<(WebhookSettings, HeaderChanges)> {
        let (settings, headers) = draft.parse(self.transport, errors)?;
        // Host names are resolved and checked at each attempt; only a literal address can be rejected here.
        if self.guard.check_ip_literal(&settings.url).is_err() {
            errors.add(
                Field::Url,
                "Enter a URL with a public address: webhooks cannot call private networks.",
            );
            return None;
        }
        Some((settings, headers))
    }

    /// Combines new values of headers with the saved ones. Returns the headers to save, or `None` if none changes, and
    /// the version that the change is based on.
    async fn edit_headers(
        &self,
        actor: &Actor,
        id: &WebhookId,
        changes: HeaderChanges,
        expected_version: Option<i64>,
    ) -> Result<(Option<NewHeaders>, Option<i64>), WebhookError> {
        let account = self.store.of(&actor.account_id);
        let Some(current) = account.webhook(id).await? else {
            return Err(WebhookError::NotFound);
        };
        let replaced: Vec<_> = changes.replaced().into_iter().map(str::to_owned).collect();
        if replaced.is_empty() && changes.names() == current.settings.options.headers {
            return Ok((None, expected_version));
        }
        if expected_version.is_some_and(|version| version != current.version) {
            return Err(WebhookError::Stale(Box::new(current)));
        }
        let secrets = account.sealed_secrets(id).await?.ok_or(WebhookError::NotFound)?;
        let saved = match &secrets.headers {
            Some(sealed) => self.vault.open_headers(id, sealed)?,
            None => CustomHeaders::default(),
        };
        let headers = changes.apply(&saved).map_err(invalid_headers)?;
        let new = NewHeaders {
            sealed: self.seal_headers(id, &headers),
            replaced,
        };
        // Fails if another save has changed the headers in the meantime.
        Ok((Some(new), Some(expected_version.unwrap_or(current.version))))
    }

    fn seal_headers(&self, id: &WebhookId, headers: &CustomHeaders) -> Option<Sealed> {
        (!headers.is_empty()).then(|| self.vault.seal_headers(id, headers))
    }

    fn change(&self, actor: &Actor, webhook_id: WebhookId) -> Change {
        Change::new(actor, webhook_id, self.now())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

fn invalid_headers(error: InvalidHeader) -> WebhookError {
    WebhookError::Invalid(FieldErrors::one(Field::Headers, error.to_string()))
}

/// Runs a change to completion, even if the client disconnects and its request is dropped: otherwise the database and
/// the gate's cache could diverge.
pub(crate) async fn run_detached<T: Send + 'static>(change: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(change.in_current_span()).await {
        Ok(output) => output,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down and drops this request too.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Maximum time for which a previous secret also signs.
pub const MAX_OVERLAP: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Default time for which a previous secret also signs.
pub const DEFAULT_OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);
