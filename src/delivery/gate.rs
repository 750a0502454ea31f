//! Decides whether a webhook may be called now. Every request needs a [`Pass`] from here.
//!
//! An attempt holds its [`Pass`] until its request is over. The gate caches the target of each webhook, and every
//! change invalidates it. Deleting a webhook cancels its attempts, and [`Gate::close`] returns when the last one has
//! ended, so that no request starts afterwards.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::hidden::Hidden;
use crate::{
    domain::{
        EndpointUrl, Timestamp, WebhookId,
        custom_header::CustomHeaders,
        delivery_settings::{Retries, TimeoutSeconds},
        signature::SigningKey,
    },
    store::{Destination, DestinationState, Store, StoreError},
    vault::{Vault, VaultError},
};

/// Admits attempts, and counts those in flight for each webhook.
pub struct Gate {
    store: Arc<Store>,
    vault: Arc<Vault>,
    /// A std mutex, because it is held for a few lines and never across an await.
    entries: Mutex<HashMap<WebhookId, Entry>>,
}

/// State of one webhook.
#[derive(Default)]
struct Entry {
    /// Cached target. `None` after every change.
    target: Option<Arc<Target>>,
    /// Number of changes, so that a target that was read before a change is not cached after it.
    generation: u64,
    /// Number of attempts in flight.
    in_flight: usize,
    closed: CancellationToken,
    /// Notified when the last attempt ends.
    drained: Arc<Notify>,
}

/// What an attempt needs to know about its webhook: where, how and with which keys.
pub struct Target {
    pub url: EndpointUrl,
    /// Custom headers. Their values are marked as sensitive.
    pub headers: HeaderMap,
    /// What must not be kept of a response.
    pub hidden: Hidden,
    /// `None` is that of the server.
    pub timeout: Option<TimeoutSeconds>,
    pub retries: Retries,
    current: SigningKey,
    previous: Option<(SigningKey, Timestamp)>,
}

impl Target {
    /// Returns the key of the current secret, and during a rotation also the key of the previous one.
    pub fn keys(&self, now: Timestamp) -> impl Iterator<Item = &SigningKey> {
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until);
        std::iter::once(&self.current).chain(previous.map(|(key, _)| key))
    }
}

/// Result of asking to enter the gate.
pub enum Admission {
    Admitted(Pass),
    /// The webhook is paused or disabled. Its deliveries are held or cancelled.
    Inactive,
    /// The webhook is deleted. Its deliveries are already cancelled.
    Deleted,
}

/// A webhook as it was loaded from the store.
enum Loaded {
    Active(Arc<Target>),
    Inactive(Box<Destination>),
    Deleted,
}

/// Purpose of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Delivery,
    Test,
}

/// Error while the target of a webhook is loaded.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot decrypt the webhook's secret: {0}")]
    Vault(#[from] VaultError),
}

/// Permission to make one attempt. The attempt counts as in flight until the pass is dropped.
pub struct Pass {
    pub target: Arc<Target>,
    registration: Registration,
}

impl Pass {
    /// Resolves when the attempt must be aborted.
    pub async fn cancelled(&self) {
        self.registration.closed.cancelled().await;
    }
}

/// Counts one attempt as in flight until it is dropped.
struct Registration {
    gate: Arc<Gate>,
    webhook_id: WebhookId,
    closed: CancellationToken,
}

impl Gate {
    pub fn new(store: Arc<Store>, vault: Arc<Vault>) -> Arc<Self> {
        Arc::new(Self {
            store,
            vault,
            entries: Mutex::default(),
        })
    }

    /// Asks to make an attempt of a delivery.
    pub async fn enter(self: &Arc<Self>, webhook_id: &WebhookId) -> Result<Admission, GateError> {
        self.enter_for(Purpose::Delivery, webhook_id).await
    }

    /// Asks to send a test event. Paused and disabled webhooks are also admitted, so that users can test a repaired
    /// receiver before they resume its webhook.
    pub async fn enter_for_test(self: &Arc<Self>, webhook_id: &WebhookId) -> Result<Admission, GateError> {
        self.enter_for(Purpose::Test, webhook_id).await
    }

    async fn enter_for(
        self: &Arc<Self>,
        purpose: Purpose,
        webhook_id: &WebhookId,
    ) -> Result<Admission, GateError> {
        // Registered before anything is read, so that a concurrent deletion waits for this attempt.
        let (registration, mut cached, mut generation) = {
            let mut entries = self.entries();
            let entry = entries.entry(webhook_id.clone()).or_default();
            entry.in_flight += 1;
            let registration = Registration {
                gate: Arc::clone(self),
                webhook_id: webhook_id.clone(),
                closed: entry.closed.clone(),
            };
            (registration, entry.target.clone(), entry.generation)
        };
        let target = loop {
            if let Some(target) = cached {
                break target;
            }
            let loaded = self.load(webhook_id).await?;
            let mut entries = self.entries();
            let entry = entries.entry(webhook_id.clone()).or_default();
            if entry.generation != generation {
                // The webhook changed in the meantime, so the loaded state may be outdated.
                (cached, generation) = (entry.target.clone(), entry.generation);
                continue;
            }
            match loaded {
                Loaded::Active(target) => {
                    entry.target = Some(Arc::clone(&target));
                    break target;
                }
                // Not cached, because a delivery must not use it.
                Loaded::Inactive(destination) if purpose == Purpose::Test => {
                    break Arc::new(self.open(webhook_id, &destination)?);
                }
                Loaded::Inactive(_) => return Ok(Admission::Inactive),
                Loaded::Deleted => return Ok(Admission::Deleted),
            }
        };
        if registration.closed.is_cancelled() {
            return Ok(Admission::Deleted);
        }
        Ok(Admission::Admitted(Pass { target, registration }))
    }

    async fn load(&self, webhook_id: &WebhookId) -> Result<Loaded, GateError> {
        Ok(match self.store.destination(webhook_id).await? {
            None => Loaded::Deleted,
            Some(destination) => match destination.state {
                DestinationState::Active => Loaded::Active(Arc::new(self.open(webhook_id, &destination)?)),
                DestinationState::Paused | DestinationState::Disabled => {
                    Loaded::Inactive(Box::new(destination))
                }
            },
        })
    }

    /// Invalidates the cached target. Must be called after every change of the webhook.
    pub fn invalidate(&self, webhook_id: &WebhookId) {
        if let Some(entry) = self.entries().get_mut(webhook_id) {
            entry.generation += 1;
            entry.target = None;
        }
    }

    /// Invalidates all cached targets, because changes may have been missed.
    pub fn invalidate_all(&self) {
        for entry in self.entries().values_mut() {
            entry.generation += 1;
            entry.target = None;
        }
    }

    /// Cancels the attempts of a webhook and returns when none is in flight. Must be called after the webhook was
    /// deleted in the store, so that later attempts find it deleted.
    pub async fn close(&self, webhook_id: &WebhookId) {
        let drained = {
            let mut entries = self.entries();
            let Some(entry) = entries.get_mut(webhook_id) else {
                return;
            };
            entry.generation += 1;
            entry.target = None;
            entry.closed.cancel();
            Arc::clone(&entry.drained)
        };
        loop {
            let notified = drained.notified();
            tokio::pin!(notified);
            // Enabled before the check, so that a notification in between is not missed.
            notified.as_mut().enable();
            {
                let mut entries = self.entries();
                if entries.get(webhook_id).is_none_or(|entry| entry.in_flight == 0) {
                    entries.remove(webhook_id);
                    return;
                }
            }
            notified.await;
        }
    }

    fn open(&self, id: &WebhookId, destination: &Destination) -> Result<Target, VaultError> {
        let secrets = &destination.secrets;
        let previous = secrets
            .previous
            .as_ref()
            .map(|(sealed, until)| Ok((SigningKey::new(&self.vault.open(id, sealed)?), *until)));
        let headers = match &secrets.headers {
            Some(sealed) => self.vault.open_headers(id, sealed)?,
            None => CustomHeaders::default(),
        };
        Ok(Target {
            url: destination.url.clone(),
            headers: header_map(&headers),
            hidden: Hidden::new(&headers),
            timeout: destination.timeout,
            retries: destination.retries,
            current: SigningKey::new(&self.vault.open(id, &secrets.current)?),
            previous: previous.transpose()?,
        })
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<WebhookId, Entry>> {
        // No critical section can panic in the middle of a change.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns headers as they are sent, except invalid ones, which are never saved.
fn header_map(headers: &CustomHeaders) -> HeaderMap {
    let pairs = headers.iter().filter_map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
        let mut value = HeaderValue::from_bytes(value.expose().as_bytes()).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    });
    pairs.collect()
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut entries = self.gate.entries();
        if let Some(entry) = entries.get_mut(&self.webhook_id) {
            entry.in_flight -= 1;
            if entry.in_flight == 0 {
                entry.drained.notify_waiters();
            }
        }
    }
}
