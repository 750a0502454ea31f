//! Which webhooks may be called right now: the only door to the sender.
//!
//! Every attempt enters here and holds its [`Pass`] until its request is over. What an attempt needs to know of its
//! webhook is kept in memory between attempts, and forgotten at every change. Deleting closes the door for good:
//! attempts inside are cut short, and [`Gate::close`] returns when the last has left, so that no request starts after.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{EndpointUrl, Timestamp, WebhookId, signature::SigningKey},
    store::{Destination, DestinationState, Store, StoreError},
    vault::{Vault, VaultError},
};

pub struct Gate {
    store: Arc<Store>,
    vault: Arc<Vault>,
    /// A std mutex: it is held for a few lines, and never across an await.
    doors: Mutex<HashMap<WebhookId, Door>>,
}

/// What is known of one webhook, and who is inside.
#[derive(Default)]
struct Door {
    /// Forgotten at every change.
    target: Option<Arc<Target>>,
    /// Counts the changes, so that what was read before one is not remembered after it.
    generation: u64,
    inside: usize,
    closed: CancellationToken,
    /// Told when the last one leaves.
    empty: Arc<Notify>,
}

/// Where to send, and what to sign with.
pub struct Target {
    pub url: EndpointUrl,
    current: SigningKey,
    previous: Option<(SigningKey, Timestamp)>,
}

impl Target {
    /// The current secret's key, and during a rotation the one before it.
    pub fn keys(&self, now: Timestamp) -> impl Iterator<Item = &SigningKey> {
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until);
        std::iter::once(&self.current).chain(previous.map(|(key, _)| key))
    }
}

/// What an attempt is told at the door.
pub enum Admission {
    Open(Pass),
    /// Not now: paused or disabled. Its deliveries are held or cancelled.
    Stopped,
    /// Deleted: its deliveries are cancelled already.
    Gone,
}

/// What the store says of a webhook.
enum Read {
    Active(Arc<Target>),
    Stopped(Box<Destination>),
    Gone,
}

/// What somebody wants to enter for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Delivery,
    Test,
}

/// Why the door cannot be opened just now.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the webhook's secret cannot be opened: {0}")]
    Vault(#[from] VaultError),
}

/// The right to make one attempt, until it is dropped.
pub struct Pass {
    pub target: Arc<Target>,
    visit: Visit,
}

impl Pass {
    /// Resolves when the attempt has to stop at once.
    pub async fn cancelled(&self) {
        self.visit.closed.cancelled().await;
    }
}

/// One who is inside; counted out when dropped, on whatever path.
struct Visit {
    gate: Arc<Gate>,
    webhook_id: WebhookId,
    closed: CancellationToken,
}

impl Gate {
    pub fn new(store: Arc<Store>, vault: Arc<Vault>) -> Arc<Self> {
        Arc::new(Self {
            store,
            vault,
            doors: Mutex::default(),
        })
    }

    /// Asks to make an attempt.
    pub async fn enter(self: &Arc<Self>, webhook_id: &WebhookId) -> Result<Admission, GateError> {
        self.enter_for(Purpose::Delivery, webhook_id).await
    }

    /// Asks to send a test, which also a paused or disabled webhook may get: whoever repairs a receiver tries it before
    /// the webhook is resumed.
    pub async fn enter_to_test(self: &Arc<Self>, webhook_id: &WebhookId) -> Result<Admission, GateError> {
        self.enter_for(Purpose::Test, webhook_id).await
    }

    async fn enter_for(
        self: &Arc<Self>,
        purpose: Purpose,
        webhook_id: &WebhookId,
    ) -> Result<Admission, GateError> {
        // Counted in before anything is read: whoever changes the webhook from here on finds us inside.
        let (visit, mut known, mut generation) = {
            let mut doors = self.doors();
            let door = doors.entry(webhook_id.clone()).or_default();
            door.inside += 1;
            let visit = Visit {
                gate: Arc::clone(self),
                webhook_id: webhook_id.clone(),
                closed: door.closed.clone(),
            };
            (visit, door.target.clone(), door.generation)
        };
        let target = loop {
            if let Some(target) = known {
                break target;
            }
            let read = self.read(webhook_id).await?;
            let mut doors = self.doors();
            let door = doors.entry(webhook_id.clone()).or_default();
            if door.generation != generation {
                // Changed while it was read: what was read may be what it was before.
                (known, generation) = (door.target.clone(), door.generation);
                continue;
            }
            match read {
                Read::Active(target) => {
                    door.target = Some(Arc::clone(&target));
                    break target;
                }
                // Not remembered: the next one may come to deliver.
                Read::Stopped(destination) if purpose == Purpose::Test => {
                    break Arc::new(self.open(webhook_id, &destination)?);
                }
                Read::Stopped(_) => return Ok(Admission::Stopped),
                Read::Gone => return Ok(Admission::Gone),
            }
        };
        if visit.closed.is_cancelled() {
            return Ok(Admission::Gone);
        }
        Ok(Admission::Open(Pass { target, visit }))
    }

    async fn read(&self, webhook_id: &WebhookId) -> Result<Read, GateError> {
        Ok(match self.store.destination(webhook_id).await? {
            None => Read::Gone,
            Some(destination) => match destination.state {
                DestinationState::Active => Read::Active(Arc::new(self.open(webhook_id, &destination)?)),
                DestinationState::Paused | DestinationState::Disabled => Read::Stopped(Box::new(destination)),
            },
        })
    }

    /// To call after every change of a webhook: the next attempt reads it afresh.
    pub fn refresh(&self, webhook_id: &WebhookId) {
        if let Some(door) = self.doors().get_mut(webhook_id) {
            door.generation += 1;
            door.target = None;
        }
    }

    /// The same for all of them: they may have been changed unheard.
    pub fn refresh_all(&self) {
        for door in self.doors().values_mut() {
            door.generation += 1;
            door.target = None;
        }
    }

    /// To call after a webhook was deleted in the store: cuts its attempts short, and returns when none is left.
    /// Whoever enters later reads that it is gone.
    pub async fn close(&self, webhook_id: &WebhookId) {
        let empty = {
            let mut doors = self.doors();
            let Some(door) = doors.get_mut(webhook_id) else {
                return;
            };
            door.generation += 1;
            door.target = None;
            door.closed.cancel();
            Arc::clone(&door.empty)
        };
        loop {
            let left = empty.notified();
            tokio::pin!(left);
            // Registered before looking, so that a departure in between is not missed.
            left.as_mut().enable();
            {
                let mut doors = self.doors();
                if doors.get(webhook_id).is_none_or(|door| door.inside == 0) {
                    doors.remove(webhook_id);
                    return;
                }
            }
            left.await;
        }
    }

    fn open(&self, id: &WebhookId, destination: &Destination) -> Result<Target, VaultError> {
        let secrets = &destination.secrets;
        let previous = secrets
            .previous
            .as_ref()
            .map(|(sealed, until)| Ok((SigningKey::new(&self.vault.open(id, sealed)?), *until)));
        Ok(Target {
            url: destination.url.clone(),
            current: SigningKey::new(&self.vault.open(id, &secrets.current)?),
            previous: previous.transpose()?,
        })
    }

    fn doors(&self) -> MutexGuard<'_, HashMap<WebhookId, Door>> {
        // Nothing in the critical sections can panic half-way through a change.
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut doors = self.gate.doors();
        if let Some(door) = doors.get_mut(&self.webhook_id) {
            door.inside -= 1;
            if door.inside == 0 {
                door.empty.notify_waiters();
            }
        }
    }
}
